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
  const stop = async (): Promise<void> => {
    child.kill();
    await child;
  };
  const ended = child.then(({ shortMessage, all }) =>
    Promise.reject(new Error(`${shortMessage ?? `${program} has ended`}\n${all}`)),
  );
  try {
    await Promise.race([waitForAnswer(AbortSignal.timeout(startTimeout)), ended]);
  } catch (error) {
    await stop();
    throw error;
  }
  return Object.assign(stop, { signal: (name: NodeJS.Signals): void => void child.kill(name) });
}
