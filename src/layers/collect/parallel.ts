/**
 * Runs an action for each item, so many at once, and gives the results in order. Where one fails, no
 * further one is started, `abort` is called, and the error is thrown when all that run have ended.
 */
export async function mapParallel<T, R>(
  items: readonly T[],
  limit: number,
  run: (item: T) => Promise<R>,
  abort: (reason: unknown) => void,
): Promise<R[]> {
  const results: R[] = [];
  const failures: unknown[] = [];
  const queue = items.entries();
  const work = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (failures.length > 0) return;
      try {
        results[index] = await run(item);
      } catch (error) {
        if (failures.push(error) === 1) abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, () => work()));
  if (failures.length > 0) throw failures[0];
  return results;
}
