import { allowListeners } from "../system/signals.ts";
import { exitStatuses, XbuildError } from "../errors.ts";
import { systemCode } from "../system/errno.ts";
import { runCommand } from "./commands.ts";
import type { Visible } from "../visible.ts";
import type { CliIo } from "./io.ts";
import { renderFailure } from "./report/failure.ts";

/**
 * Runs a command in this process: its streams, its environment, its signals, its exit status. `packageUrl` as in `CliIo`.
 */
export async function runProcess(words: readonly string[], packageUrl: string): Promise<void> {
  const controller = new AbortController();
  allowListeners(controller.signal);
  const interrupt = (): void => controller.abort();
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt).on("SIGHUP", interrupt);
  const output = watchOutput();
  process.stderr.on("error", ignore);
  const last: (() => Promise<void>)[] = [];
  const io = createIo({ packageUrl, last }, controller.signal);
  try {
    process.exitCode = await runToEnd(words, last, io);
    await assertWritten(output);
  } catch (error) {
    const { text, exitStatus } = renderFailure(error, io);
    io.stderr(text);
    process.exitCode = io.signal.aborted ? exitStatuses.interrupted : exitStatus;
    // What is still under way in the background is nobody's any more: whoever interrupts does not wait for it.
    if (io.signal.aborted) process.stderr.write("", () => process.exit());
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt).off("SIGHUP", interrupt);
  }
}

async function runToEnd(
  words: readonly string[],
  last: readonly (() => Promise<void>)[],
  io: CliIo,
): Promise<number> {
  try {
    return await runCommand(words, io);
  } finally {
    for (const action of last) await action().catch(ignore);
  }
}

interface WatchedOutput {
  /** Why something of it did not arrive. */
  failure: Error | undefined;
}

/** A reader that went away (`| head`) ends the output, not the build. A disk that is full is another matter. */
function watchOutput(): WatchedOutput {
  const output: WatchedOutput = { failure: undefined };
  process.stdout.on("error", (cause) => {
    if (systemCode(cause) !== "EPIPE") output.failure ??= cause;
  });
  return output;
}

/** What was said must have arrived: a program may read it. Errors: `output-destination`. */
async function assertWritten(output: WatchedOutput): Promise<void> {
  await new Promise<void>((done) => process.stdout.write("", () => done()));
  const { failure } = output;
  if (failure === undefined) return;
  const reason = systemCode(failure) ?? failure.message;
  throw new XbuildError("output-destination", `standard output cannot be written (${reason})`, {
    hint: "make room where the output goes; the command itself has finished",
    cause: failure,
  });
}

function ignore(): void {
  // Nobody is left to be told.
}

function toOutput(text: Visible | Uint8Array): string | Uint8Array {
  return text instanceof Uint8Array ? text : text.visible;
}

interface Surroundings {
  readonly packageUrl: string;
  /** What is done in the end. */
  readonly last: (() => Promise<void>)[];
}

function createIo({ packageUrl, last }: Surroundings, signal: AbortSignal): CliIo {
  const { env } = process;
  const color = process.stdout.isTTY && !env["NO_COLOR"] && env["TERM"] !== "dumb";
  return {
    stdout: (text) => void process.stdout.write(toOutput(text)),
    stderr: (text) => void process.stderr.write(toOutput(text)),
    self: [process.execPath, ...process.argv.slice(1, 2)],
    cwd: process.cwd(),
    packageUrl,
    env,
    color,
    terminal: process.stdout.isTTY && env["TERM"] !== "dumb",
    columns: () => (process.stdout.isTTY ? process.stdout.columns : undefined),
    atEnd: (action) => void last.push(action),
    signal,
  };
}
