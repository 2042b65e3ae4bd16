import { randomUUID } from "node:crypto";
import type { LimitFunction } from "p-limit";
import type { Once, Shared } from "./workspace.ts";

/**
 * @param jobs how many images are built at a time; 0: as many as there are
 * @param hasTargets whether several targets are built, of which one may be a stage of another
 */
export function createShared(jobs: number, hasTargets = false): Shared {
  return {
    hasTargets,
    limit: createLimit(jobs),
    isParallel: jobs !== 1,
    resolveImage: createOnce(),
    readHistory: createOnce(),
    hashDirectory: createOnce(),
    loadStage: createOnce(),
    makeStage: createOnce(),
    evaluateStage: createOnce(),
    makePortable: createOnce(),
    nonce: randomUUID(),
  };
}

export function createOnce<T>(): Once<T> {
  const known = new Map<string, Promise<T>>();
  return (key, action) => {
    const earlier = known.get(key);
    if (earlier !== undefined) return earlier;
    const begun = action();
    known.set(key, begun);
    // Whoever asks after a failure tries again.
    begun.catch(() => known.delete(key));
    return begun;
  };
}

/** A build that has nothing to do loads nothing for it. */
function createLimit(jobs: number): Shared["limit"] {
  let limiter: Promise<LimitFunction> | undefined;
  return async (action) => {
    limiter ??= import("p-limit").then(({ default: pLimit }) =>
      pLimit(jobs === 0 ? Number.POSITIVE_INFINITY : jobs),
    );
    return (await limiter)(action);
  };
}
