import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { XbuildError } from "../../errors.ts";
import { notStarted } from "../programs/run.ts";
import { interruptGroup, signalGroup } from "../programs/processes.ts";
import { awaitStreams, readClientStream } from "./client-stream.ts";
import { createLineSplitter } from "./lines.ts";
import type { SolveProgress } from "./progress.ts";
import type { Invocation } from "./solve-call.ts";
import { watchStall } from "./stall.ts";

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
  /** How long what it has left behind may hold its streams, in milliseconds; 10 seconds unless given. */
  readonly lingerTime?: number;
}

export interface ClientResult {
  readonly status: number;
  /** Whether it was ended because nothing came any more. */
  readonly isStalled: boolean;
}

/**
 * Runs a client to its end, in a process group of its own. One from which nothing comes for some time is ended: exports of
 * BuildKit have been seen to hang, and of a machine that is gone without a word no client tells. What goes wrong with
 * taking what it writes ends it, too, and is thrown where it ended well otherwise. Whatever it has started and left behind
 * does not hold us up.
 */
export async function runClient(invocation: Invocation, run: ClientRun): Promise<ClientResult> {
  const { progress, signal, receive, started, stallTime, isThere } = run;
  signal.throwIfAborted();
  const { child, program, ended } = startClient(invocation);
  const { pid } = child;
  const stop = (): void => {
    if (pid !== undefined) interruptGroup({ pid, program, ended });
  };
  // One that waits for what does not come does not end for a signal that asks.
  const kill = (): void => {
    if (pid !== undefined) signalGroup(pid, "SIGKILL");
  };
  const watch = watchStall({ progress, stallTime, isThere, stop: kill });
  const stdout = readClientStream(child.stdout, watch.touch);
  const stderr = readClientStream(child.stderr, watch.touch);
  signal.addEventListener("abort", stop, { once: true });
  const stopAt = (error: unknown): never => {
    stop();
    throw error;
  };
  const receiving = (receive ?? discard)(stdout.bytes).catch(stopAt);
  const heard = hear(stderr.bytes, progress).catch(stopAt);
  const read = Promise.allSettled([receiving, heard]);
  try {
    if (pid !== undefined) await started(pid);
    const status = await ended;
    const isShort = (): boolean => signal.aborted || watch.isStalled();
    const time = run.lingerTime ?? lingerTime;
    if (await awaitStreams({ streams: [stdout, stderr], read, time, isShort })) kill();
    // Who takes the bytes may wait for something else; nobody asks for them any more.
    if (isShort()) return { status: status || 1, isStalled: watch.isStalled() };
    await heard;
    await receiving.catch((error: unknown) => {
      // What a client that failed has written is cut off somewhere; anything else was why it was stopped.
      if (status === 0 || !isCutOff(error)) throw error;
    });
    return { status, isStalled: false };
  } catch (error) {
    kill();
    throw error;
  } finally {
    watch.end();
    signal.removeEventListener("abort", stop);
    stdout.giveUp();
    stderr.giveUp();
    if (signal.aborted) kill();
  }
}

/** How long what a client has left behind may hold its streams, in milliseconds. */
const lingerTime = 10_000;

interface StartedClient {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly program: string;
  /** Its exit status. Errors: `engine-not-found`. */
  readonly ended: Promise<number>;
}

/** Its end is that of the process: its streams may stay open behind it. */
function startClient({ command, env }: Invocation): StartedClient {
  const [program = "", ...args] = command;
  const child = start(program, args, env);
  const ended = new Promise<number>((resolve, reject) => {
    child.once("exit", (code) => resolve(code ?? 1));
    child.once("error", (error) => reject(notStarted(program, { originalMessage: error.message })));
  });
  void ended.catch(() => undefined);
  return { child, program, ended };
}

function start(
  program: string,
  args: readonly string[],
  env: Invocation["env"],
): StartedClient["child"] {
  try {
    const stdio = ["ignore", "pipe", "pipe"] as const;
    return spawn(program, args, {
      stdio: [...stdio],
      detached: true,
      env: { ...process.env, ...env },
    });
  } catch (error) {
    // A command line that the system does not take.
    throw notStarted(program, { originalMessage: error instanceof Error ? error.message : "" });
  }
}

async function hear(bytes: AsyncIterable<Buffer>, progress: SolveProgress): Promise<void> {
  const lines = createLineSplitter(progress.line);
  for await (const chunk of bytes) lines.write(chunk);
  lines.end();
}

async function discard(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of bytes);
}

function isCutOff(error: unknown): boolean {
  return error instanceof XbuildError && error.code === "layer-tar-truncated";
}
