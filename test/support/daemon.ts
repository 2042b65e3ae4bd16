import { execa, type Options } from "execa";

/** How a program is started that serves until it is ended. */
export interface Daemon {
  readonly argv: readonly [string, ...string[]];
  readonly options?: Pick<Options, "env" | "extendEnv">;
  /** Ends when it answers; the signal says when that has taken too long. */
  readonly waitForAnswer: (signal: AbortSignal) => Promise<void>;
}

const startTimeout = 30_000;

/** What ends a daemon, and its process. */
export interface RunningDaemon {
  (): Promise<void>;
  readonly signal: (name: NodeJS.Signals) => void;
}

/** Starts it and waits until it answers. @returns what ends it. Errors: what it said, where it ends before that */
export async function startDaemon({
  argv: [program, ...args],
  options = {},
  waitForAnswer,
}: Daemon): Promise<RunningDaemon> {
  const child = execa(program, args, { ...options, reject: false, stdin: "ignore", all: true });
  let isStopped = false;
  const stop = async (): Promise<void> => {
    // One that has ended by itself, and not by a signal of the test, has failed the tests that were with it, and knows why.
    const hasEnded = child.exitCode !== null || child.signalCode !== null;
    const isFirst = !isStopped;
    isStopped = true;
    child.kill();
    const { shortMessage, all } = await child;
    if (hasEnded && isFirst) throw new Error(`${program} has ended: ${shortMessage}\n${all}`);
  };
  const ended = child.then(({ shortMessage, all }) =>
    Promise.reject(new Error(`${shortMessage ?? `${program} has ended`}\n${all}`)),
  );
  try {
    await Promise.race([waitForAnswer(AbortSignal.timeout(startTimeout)), ended]);
  } catch (error) {
    isStopped = true;
    await stop();
    throw error;
  }
  const signal = (name: NodeJS.Signals): void => {
    isStopped = true;
    child.kill(name);
  };
  return Object.assign(stop, { signal });
}
