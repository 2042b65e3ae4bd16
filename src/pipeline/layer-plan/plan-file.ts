/** A plan as `layer plan` prints it, and as `layer split` leaves it in `output/state/plan`. */
export interface PlanFile {
  /** What was known of the past: the lines behind `# history:`, a manifest's digest and a reference. */
  readonly history: readonly string[];
  /** From the lowest. */
  readonly layers: readonly PlannedLayer[];
}

export interface PlannedLayer {
  /** `<kind>:<name without version>`, or the name alone. */
  readonly keys: readonly string[];
  /** Of files, uncompressed; undefined where nobody wrote it. */
  readonly bytes: number | undefined;
  readonly changesPerMonth: number | undefined;
}

const estimate = /^#\s*(\d{1,15}) bytes, (\d{1,9}(?:\.\d{1,9})?) changes a month\s*$/;
const past = "history:";

/** Reads any text: a line that begins with `#` is a comment, any other that is not empty is a layer. */
export function parsePlanFile(text: string): PlanFile {
  const history: string[] = [];
  const layers: PlannedLayer[] = [];
  let above: RegExpExecArray | null = null;
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === "") continue;
    if (/^\s*#/.test(line)) {
      above = estimate.exec(line);
      const told = line.trimStart().slice(1).trim();
      if (told.startsWith(past))
        history.push(told.slice(past.length).trim().replaceAll(/\s+/g, " "));
      continue;
    }
    const [, bytes, changes] = above ?? [];
    layers.push({
      keys: line.trim().split(/\s+/),
      bytes: bytes === undefined ? undefined : Number(bytes),
      changesPerMonth: changes === undefined ? undefined : Number(changes),
    });
    above = null;
  }
  return { history, layers };
}

/** The same as a text. */
export function renderPlanFile({ history, layers }: PlanFile): string {
  const lines = layers.flatMap(({ keys, bytes, changesPerMonth }) => [
    ...(bytes === undefined || changesPerMonth === undefined
      ? []
      : [`# ${bytes} bytes, ${changesPerMonth.toFixed(3)} changes a month`]),
    keys.join(" "),
  ]);
  return [...history.map((one) => `# history: ${one}`), ...lines].map((one) => `${one}\n`).join("");
}
