import { spawn, type ChildProcess } from "node:child_process";
import { Readable, type Writable } from "node:stream";
import { systemCode } from "../system/errno.ts";

/** A program that turns its input into its output. */
export interface Filter {
  readonly input: Writable;
  readonly output: Readable;
  /** Settles when it has ended: with what it wrote to stderr, where its exit status is not 0. */
  readonly ended: Promise<{ readonly failure: string | undefined }>;
  readonly kill: () => void;
}

const maxMessage = 4096;

/** A program that only writes. */
export interface ReadingProgram {
  readonly program: string;
  readonly args: readonly string[];
  /** An open file that is its standard input. */
  readonly input?: number;
  /** An open directory that is its descriptor 3. */
  readonly directory?: number;
}

/**
 * Runs it. A program that cannot be started is missing; what `onData` throws ends it, and so does the signal,
 * whose reason is thrown then.
 */
export async function readProgram(
  { program, args, input, directory }: ReadingProgram,
  onData: (chunk: Buffer) => void,
  signal?: AbortSignal,
): Promise<{ readonly failure: string | undefined; readonly isMissing: boolean }> {
  signal?.throwIfAborted();
  const child = spawn(program, args, {
    stdio: [input ?? "ignore", "pipe", "pipe", directory ?? "ignore"],
  });
  const ended = waitFor(program, child);
  const stop = (): void => void child.kill("SIGKILL");
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const chunks: AsyncIterable<Buffer> = child.stdio[1] ?? Readable.from([]);
    for await (const chunk of chunks) onData(chunk);
    const { failure } = await ended;
    signal?.throwIfAborted();
    return { failure, isMissing: false };
  } catch (error) {
    stop();
    if (await ended.then(() => false, isNotFound)) return { failure: program, isMissing: true };
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

/** Whether a program could not be started for it is not there. */
export function isNotFound(error: unknown): boolean {
  return systemCode(error) === "ENOENT";
}

/**
 * Starts a program. It is found by its name alone; `ended` says `undefined` for success. A program that is
 * not there rejects `ended` with ENOENT.
 */
export function startFilter(program: string, args: readonly string[]): Filter {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  const ended = waitFor(program, child);
  // The program's end tells what is wrong; a broken pipe alone says nothing.
  child.stdin.on("error", () => undefined);
  return { input: child.stdin, output: child.stdout, ended, kill: () => child.kill("SIGKILL") };
}

function waitFor(program: string, child: ChildProcess): Promise<{ failure: string | undefined }> {
  let message = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    message = (message + chunk.toString("utf8")).slice(0, maxMessage);
  });
  const ended = new Promise<{ failure: string | undefined }>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const failure = message.trim() || `${program} ended with ${code ?? signal}`;
      resolve({ failure: code === 0 ? undefined : failure });
    });
  });
  ended.catch(() => undefined);
  return ended;
}
