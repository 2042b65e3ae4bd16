import pLimit from "p-limit";

export interface ParallelOptions {
  /** So many items at once. */
  readonly limit: number;
  /** Told of the first failure. */
  readonly abort: (reason: unknown) => void;
}

/**
 * Runs an action for each item, several at once, and gives the results in order. Where one fails, no
 * further one is started, `abort` is called, and the error is thrown when all that run have ended.
 */
export async function mapParallel<T, R>(
  items: readonly T[],
  run: (item: T) => Promise<R>,
  { limit, abort }: ParallelOptions,
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
