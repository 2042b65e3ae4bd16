const weekMilliseconds = 7 * 86_400_000;

/** So many days a week apart, oldest first; the last is `until`. Days are written as `2026-03-14`. */
export function listWeeks(until: string, count: number): readonly string[] {
  const last = Date.parse(until);
  if (Number.isNaN(last)) throw new Error(`${until} is no day: write it as 2026-03-14`);
  return Array.from({ length: count }, (_, at) =>
    new Date(last - (count - 1 - at) * weekMilliseconds).toISOString().slice(0, 10),
  );
}
