import { execFile, type ExecFileException } from "node:child_process";
import type { ErrorCode } from "../../codes.ts";
import { XbuildError } from "../../errors.ts";
import type { OutputLog } from "../../reporter.ts";
import { interruptGroup, signalGroup, type RunningProgram } from "./processes.ts";
import { describeUnusable } from "./unusable.ts";

/** How much of an engine's error output is kept to explain a failure, in bytes. */
const tailSize = 64 * 1024;
/** The longest answer to a query, in bytes. */
const maximumAnswer = 64 * 1024 * 1024;

export interface RunResult {
  readonly status: number;
  /** The end of stderr. */
  readonly tail: string;
}

/** Runs a program to its end and gives its stdout. @throws XbuildError `engine-failed`, `engine-cannot-run`. */
export async function queryProgram(command: readonly string[]): Promise<string> {
  const key = command.join("\0");
  const { failure, stdout, stderr } = await (asked.get(key) ?? runQuietly(command));
  // An answer is good for one question: whoever asks again wants to know what changed.
  asked.delete(key);
  if (failure === null) return stdout;
  const exitStatus = typeof failure.code === "number" ? failure.code : 1;
  const unusable = describeUnusable(command[0] ?? "", { text: stderr, exitStatus });
  if (unusable !== undefined) throw unusable;
  const message = `${command.join(" ")}: ${stderr.trim() || failure.message}`;
  throw new XbuildError("engine-failed", message, { exitStatus });
}

/** Starts a query whose answer the next `queryProgram` of the same command gives. */
export function queryAhead(command: readonly string[]): void {
  asked.set(command.join("\0"), runQuietly(command));
}

/** Whether one was started that nobody has had the answer of. */
export function isAsked(command: readonly string[]): boolean {
  return asked.has(command.join("\0"));
}

const asked = new Map<string, Promise<Answer>>();

interface Answer {
  readonly failure: ExecFileException | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Without execa: loading it takes half as long as the query, and a build with nothing to do only asks. */
function runQuietly([program = "", ...args]: readonly string[]): Promise<Answer> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { maxBuffer: maximumAnswer }, (failure, stdout, stderr) =>
      resolve({ failure, stdout, stderr }),
    );
    child.stdin?.end();
  });
}

export interface StreamOptions {
  readonly log: OutputLog;
  readonly signal: AbortSignal;
  /** How it is stopped when `signal` aborts. */
  readonly interrupt?: (running: RunningProgram) => void;
  /** Variables beside those of our own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Told of the process ID as soon as there is one. */
  readonly started?: (pid: number) => Promise<void>;
}

/**
 * Runs a program in a process group of its own, its output streamed to `log`. When `signal`
 * aborts, the whole group is interrupted (an engine that is interrupted alone leaves the step's
 * processes running), and killed if it has not ended in time.
 */
export async function streamProgram(
  command: readonly string[],
  { log, signal, interrupt = interruptGroup, env = {}, started }: StreamOptions,
): Promise<RunResult> {
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
  let tail = Buffer.alloc(0);
  child.stdout.on("data", log.stdout);
  child.stderr.on("data", (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-tailSize);
    log.stderr(chunk);
  });
  const { pid } = child;
  const stop = (): void => {
    if (pid !== undefined) interrupt({ pid, program, ended: child });
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    // What cannot be told of must not run.
    if (pid !== undefined)
      await started?.(pid).catch((error: unknown) => giveUp(error, stop, child));
    const result = await child;
    if (result.exitCode === undefined && result.signal === undefined)
      throw notStarted(program, result);
    return { status: result.exitCode ?? 1, tail: tail.toString("utf8") };
  } finally {
    log.end?.();
    signal.removeEventListener("abort", stop);
    if (signal.aborted && pid !== undefined) signalGroup(pid, "SIGKILL");
  }
}

async function giveUp(error: unknown, stop: () => void, child: Promise<unknown>): Promise<never> {
  stop();
  await child;
  throw error;
}

/** The error for a program that could not be started at all. */
export function notStarted(
  program: string,
  result: { readonly originalMessage?: string | undefined },
): XbuildError {
  return new XbuildError(
    "engine-not-found",
    `cannot start ${program}: ${result.originalMessage ?? ""}`,
    {
      hint: `install ${program}, or name another engine with --engine`,
    },
  );
}

/** @param forgiven the failures that count as no answer */
export async function tryQuery(
  command: readonly string[],
  forgiven: readonly ErrorCode[] = ["engine-failed", "engine-cannot-run"],
): Promise<string | undefined> {
  try {
    return await queryProgram(command);
  } catch (error) {
    if (error instanceof XbuildError && forgiven.includes(error.code)) return undefined;
    throw error;
  }
}
