import { setImmediate } from "node:timers/promises";
import { systemCode } from "./errno.ts";

export interface RemovalOptions {
  /** Where it is aborted, the removal ends soon: what is left then is the next cleaner's. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds that it may go on after that; a second unless given. */
  readonly patience?: number;
}

/** Why something was left, by the system's code (`EPERM`) or `interrupted`; undefined where nothing was. */
export type Leftover = string | undefined;

/** The removal of a tree: how far it may go on, and what it had to leave. */
export interface Removal {
  readonly options: RemovalOptions;
  steps: number;
  /** When the signal was first seen to be aborted, in milliseconds. */
  abortedAt: number | undefined;
  left: Leftover;
}

const defaultPatience = 1000;
const stepsPerTurn = 250;

export function createRemoval(options: RemovalOptions): Removal {
  return { options, steps: 0, abortedAt: undefined, left: undefined };
}

/** Does what may fail: what is not there any more is as it should be; what fails otherwise is left. */
export function attempt<T>(removal: Removal, action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    if (code !== "ENOENT") removal.left ??= code;
    return undefined;
  }
}

/** Lets others work now and then, and says whether the removal has to end. */
export async function isInterrupted(removal: Removal): Promise<boolean> {
  removal.steps += 1;
  if (removal.steps % stepsPerTurn !== 0) return removal.left === "interrupted";
  await setImmediate();
  const { signal, patience = defaultPatience } = removal.options;
  if (signal?.aborted === true) {
    removal.abortedAt ??= performance.now();
    if (performance.now() - removal.abortedAt >= patience) removal.left = "interrupted";
  }
  return removal.left === "interrupted";
}
