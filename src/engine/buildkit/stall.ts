import type { ClientRun } from "./run-client.ts";

export interface StallWatch {
  /** Something came. */
  readonly touch: () => void;
  readonly isStalled: () => boolean;
  readonly end: () => void;
}

/** Stops a client from which nothing comes. Steps may be silent for as long as they like, if the builder answers meanwhile. */
export function watchStall({
  progress,
  stallTime,
  isThere,
  stop,
}: Pick<ClientRun, "progress" | "stallTime" | "isThere"> & {
  readonly stop: () => void;
}): StallWatch {
  let last = performance.now();
  let isStalled = false;
  let isAsking = false;
  const ended = new AbortController();
  const touch = (): void => {
    last = performance.now();
  };
  const ask = async (): Promise<void> => {
    isAsking = true;
    if (await isThere(ended.signal)) touch();
    isAsking = false;
  };
  const look = (): void => {
    const silence = performance.now() - last;
    if (isStalled) return;
    if (silence >= stallTime) {
      isStalled = true;
      stop();
    } else if (progress.countBusy() > 0 && silence >= stallTime / 4 && !isAsking) void ask();
  };
  const timer = setInterval(look, Math.min(stallTime / 4, 5000));
  return {
    touch,
    isStalled: () => isStalled,
    end: () => {
      clearInterval(timer);
      ended.abort();
    },
  };
}
