import { joinSignals } from "../../system/signals.ts";
import { availableParallelism } from "node:os";
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

/** Layers that are worked on at once; each has some blocks in memory. */
const maxLayers = Math.min(4, availableParallelism());

/** Work on the layers of one image, which ends as a whole where one of them fails. */
export interface LayerJobs {
  /** For all that works on a layer. */
  readonly signal: AbortSignal;
  /** As `mapParallel`. */
  readonly map: <T, R>(items: readonly T[], run: (item: T) => Promise<R>) => Promise<R[]>;
}

/** @param signal of what the work is part of */
export function createLayerJobs(signal: AbortSignal | undefined): LayerJobs {
  const failed = new AbortController();
  const signals = signal === undefined ? [] : [signal];
  const abort = (reason: unknown): void => failed.abort(reason);
  return {
    signal: joinSignals([failed.signal, ...signals]),
    map: (items, run) => mapParallel(items, run, { limit: maxLayers, abort }),
  };
}
