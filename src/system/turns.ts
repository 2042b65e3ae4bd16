import { setImmediate } from "node:timers/promises";

/** So many small steps that wait for nothing are done before signals and other work get their turn. */
const stepsPerTurn = 250;

/** Lets signals and other work have their turn; @throws the signal's reason where it has been aborted by then. */
export async function takeTurn(signal?: AbortSignal): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}

/**
 * For long work in small synchronous steps: to be awaited after each of them. Now and then it lets signals
 * and other work have their turn; @throws the signal's reason where it has been aborted by then.
 */
export function createTurns(signal?: AbortSignal): () => Promise<void> | undefined {
  let steps = 0;
  return () => {
    steps += 1;
    if (steps % stepsPerTurn !== 0) return undefined;
    return takeTurn(signal);
  };
}
