import { setMaxListeners } from "node:events";

/** One that is aborted as soon as one of these is. However many listen to it, nobody is warned of them. */
export function joinSignals(signals: readonly AbortSignal[]): AbortSignal {
  const joined = AbortSignal.any([...signals]);
  allowListeners(joined);
  return joined;
}

/** Many builds side by side listen to the same signal: that is no leak. */
export function allowListeners(signal: AbortSignal): void {
  setMaxListeners(0, signal);
}
