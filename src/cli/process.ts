import { allowListeners } from "../system/signals.ts";
import { exitStatuses, XbuildError } from "../errors.ts";
import { systemCode } from "../system/errno.ts";
import { runCommand } from "./commands.ts";
import type { Visible } from "../visible.ts";
import type { CliIo } from "./io.ts";
import { renderFailure } from "./report/failure.ts";
import { createScreen, type OwnedScreen } from "./screen.ts";

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
  const longer = setTimeout(settleIn, soon);
  const screen = createScreen(process.stderr, process.env);
  const io = createIo(packageUrl, { screen, last, signal: controller.signal });
  try {
    process.exitCode = await runToEnd(words, last, io);
    screen.end();
    await assertWritten(output);
  } catch (error) {
    const { text, exitStatus } = renderFailure(error, io);
    if (!screen.end(error)) io.stderr(text);
    process.exitCode = io.signal.aborted ? exitStatuses.interrupted : exitStatus;
    // What is still under way in the background is nobody's any more: whoever interrupts does not wait for it.
    if (io.signal.aborted) process.stderr.write("", () => process.exit());
  } finally {
    clearTimeout(longer);
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt).off("SIGHUP", interrupt);
  }
}

/** Milliseconds, within which what has nothing to do is over. */
const soon = 300;

/** What takes longer moves gigabytes, maybe: then its memory stays small. */
function settleIn(): void {
  import("../system/garbage.ts").then(({ limitGarbage }) => limitGarbage(), ignore);
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
  readonly screen: OwnedScreen;
  /** What is done in the end. */
  readonly last: (() => Promise<void>)[];
  readonly signal: AbortSignal;
}

function createIo(packageUrl: string, { screen, last, signal }: Surroundings): CliIo {
  const { env, stdout, stderr } = process;
  const mayColor = !env["NO_COLOR"] && env["TERM"] !== "dumb";
  return {
    stdout: (text) => screen.write(stdout, toOutput(text)),
    stderr: (text) => screen.write(stderr, toOutput(text)),
    self: [process.execPath, ...process.argv.slice(1, 2)],
    cwd: process.cwd(),
    packageUrl,
    env,
    color: stdout.isTTY && mayColor,
    errorColor: stderr.isTTY && mayColor,
    screen,
    terminal: stdout.isTTY && env["TERM"] !== "dumb",
    columns: () => (stdout.isTTY ? stdout.columns : undefined),
    atEnd: (action) => void last.push(action),
    signal,
  };
}
