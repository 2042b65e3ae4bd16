import pLimit from "p-limit";

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
  const failures: unknown[] = [];
  const attempt = async (item: T): Promise<readonly R[]> => {
    if (failures.length > 0) return [];
    try {
      return [await run(item)];
    } catch (error) {
      if (failures.push(error) === 1) abort(error);
      return [];
    }
  };
  const results = await pLimit(limit).map(items, attempt);
  if (failures.length > 0) throw failures[0];
  return results.flat();
}
