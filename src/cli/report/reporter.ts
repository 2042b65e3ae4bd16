import type { OutputLog, Reporter } from "../../reporter.ts";
import { showDiagnostic } from "../../diagnostics.ts";
import { show } from "../../visible.ts";
import type { CliIo } from "../io.ts";
import type { ProgressMode } from "../line/progress.ts";
import { createPages } from "../pages.ts";
import { createJsonReporter } from "./json-reporter.ts";
import { createLiveSteps } from "./live-steps.ts";
import { createPlainSteps } from "./plain-steps.ts";
import { type StepDisplay, trackSteps } from "./steps.ts";

/** Without a flag of its own a command is quiet, or does as it is usual where it runs. */
export type ReporterOptions = { readonly progress: ProgressMode } | { readonly quiet: boolean };

/** What came of a build, as far as its progress tells of it. */
export interface ToldResult {
  readonly names: readonly string[];
  readonly digest: string;
  readonly configDigest?: string;
  readonly upToDate: boolean;
}

/** The same for a command, which knows what comes of it. */
export interface CliReporter extends Reporter {
  /** The end, for whoever reads the progress alone. */
  readonly result: (result: ToldResult) => void;
}

/**
 * Tells of a build as it goes: the engine's words as they come, on the streams that it chose, and on stderr each step of
 * ours with its time.
 */
export function createReporter(io: CliIo, given: ReporterOptions): CliReporter {
  const progress = "progress" in given ? given.progress : given.quiet ? "quiet" : "auto";
  if (progress === "rawjson") return createJsonReporter(io);
  const options = { color: io.errorColor, page: createPages(io) };
  const steps = trackSteps(chooseDisplay(io, progress));
  io.screen.onEnd(() => {
    steps.failOpen();
    return false;
  });
  return {
    log: createLog(io, progress),
    step: steps.step,
    explain: (reason) => io.stderr(show`built because: ${reason}\n`),
    warn: (diagnostic) => io.stderr(show`${showDiagnostic(diagnostic, options)}\n`),
    pause: io.screen.pause,
    result: () => undefined,
  };
}

function chooseDisplay(io: CliIo, progress: ProgressMode): StepDisplay {
  if (progress === "quiet") return noDisplay;
  const isLive = progress !== "plain" && io.screen.isLive;
  return isLive ? createLiveSteps(io) : createPlainSteps(io);
}

const noDisplay: StepDisplay = {
  begin: () => undefined,
  progress: () => undefined,
  end: () => undefined,
};

/** As it comes; a line that a step did not end is ended on a terminal, and on stderr, before ours are told there. */
function createLog(io: CliIo, progress: ProgressMode): OutputLog {
  if (progress === "quiet") return { stdout: () => undefined, stderr: io.stderr };
  const open = { stdout: false, stderr: false };
  const pass =
    (stream: "stdout" | "stderr"): OutputLog["stdout"] =>
    (chunk) => {
      if (chunk.length > 0) open[stream] = chunk.at(-1) !== newline;
      io[stream](chunk);
    };
  const end = (): void => {
    if (open.stderr || (open.stdout && io.terminal && io.screen.isLive)) io.stderr(show`\n`);
    open.stdout = false;
    open.stderr = false;
  };
  return { stdout: pass("stdout"), stderr: pass("stderr"), end };
}

const newline = "\n".charCodeAt(0);
