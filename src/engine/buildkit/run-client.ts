import { once } from "node:events";
import { createInterface } from "node:readline";
import { XbuildError } from "../../errors.ts";
import { notStarted } from "../containers/run.ts";
import { interruptGroup, signalGroup } from "../containers/processes.ts";
import type { SolveProgress } from "./progress.ts";
import type { Invocation } from "./solve-call.ts";

export interface ClientRun {
  readonly progress: SolveProgress;
  readonly signal: AbortSignal;
  /** Takes what the client writes to its standard output. */
  readonly receive?: ((bytes: AsyncIterable<Uint8Array>) => Promise<void>) | undefined;
  /** Told of the process ID as soon as there is one. */
  readonly started: (pid: number) => Promise<void>;
  /** How long nothing may come, in milliseconds: while a step runs, no answer to a question either. */
  readonly stallTime: number;
  /** Whether the builder answers; false too where it does not until the signal aborts. */
  readonly isThere: (signal: AbortSignal) => Promise<boolean>;
}

export interface ClientResult {
  readonly status: number;
  /** Whether it was ended because nothing came any more. */
  readonly isStalled: boolean;
}

/**
 * Runs a client to its end, in a process group of its own. One from which nothing comes for some time is ended: exports of
 * BuildKit have been seen to hang, and of a machine that is gone without a word no client tells. What goes wrong with
 * taking what it writes ends it, too, and is thrown where it ended well otherwise.
 */
export async function runClient(
  { command, env }: Invocation,
  { progress, signal, receive, started, stallTime, isThere }: ClientRun,
): Promise<ClientResult> {
  const { execa } = await import("execa");
  const [program = "", ...args] = command;
  signal.throwIfAborted();
  const child = execa(program, args, {
    reject: false,
    stdin: "ignore",
    buffer: false,
    encoding: "buffer",
    detached: true,
    cleanup: false,
    env,
  });
  const { pid } = child;
  const stop = (): void => {
    if (pid !== undefined) interruptGroup({ pid, program, ended: child });
  };
  // One that waits for what does not come does not end for a signal that asks.
  const kill = (): void => {
    if (pid !== undefined) signalGroup(pid, "SIGKILL");
  };
  const watch = watchStall({ progress, stallTime, isThere, stop: kill });
  child.stdout.on("data", watch.touch);
  child.stderr.on("data", watch.touch);
  const lines = createInterface({ input: child.stderr }).on("line", progress.line);
  const heard = once(lines, "close");
  signal.addEventListener("abort", stop, { once: true });
  const receiving = take(child.stdout, receive).catch((error: unknown) => {
    stop();
    throw error;
  });
  void receiving.catch(() => undefined);
  try {
    if (pid !== undefined) await started(pid);
    const result = await child;
    if (result.exitCode === undefined && result.signal === undefined)
      throw notStarted(program, result);
    await heard;
    const status = result.exitCode ?? 1;
    await receiving.catch((error: unknown) => {
      // What a client that failed has written is cut off somewhere; anything else was why it was stopped.
      if (status === 0 || !isCutOff(error)) throw error;
    });
    return { status, isStalled: watch.isStalled() };
  } finally {
    watch.end();
    signal.removeEventListener("abort", stop);
    if (signal.aborted && pid !== undefined) signalGroup(pid, "SIGKILL");
  }
}

function isCutOff(error: unknown): boolean {
  return error instanceof XbuildError && error.code === "layer-tar-truncated";
}

async function take(
  stdout: AsyncIterable<Uint8Array> & { resume: () => unknown },
  receive: ClientRun["receive"],
): Promise<void> {
  if (receive === undefined) stdout.resume();
  else await receive(stdout);
}

interface StallWatch {
  readonly touch: () => void;
  readonly isStalled: () => boolean;
  readonly end: () => void;
}

/** Steps may be silent for as long as they like, if the builder answers meanwhile. */
function watchStall({
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
