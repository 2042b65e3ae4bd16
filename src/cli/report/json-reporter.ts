import { XbuildError } from "../../errors.ts";
import type { Diagnostic } from "../../diagnostics.ts";
import type { OutputLog } from "../../reporter.ts";
import { showJsonLine } from "../../visible.ts";
import { holdEachLine } from "../../held-lines.ts";
import type { CliIo } from "../io.ts";
import type { CliReporter } from "./reporter.ts";
import { renderFailure } from "./failure.ts";
import { type OpenStep, trackSteps } from "./steps.ts";

/** Milliseconds between two events of the same step that say how many bytes are done. */
const interval = 200;

/** Tells of a build as JSON, an object a line on stderr; docs/reference.md, "Progress". */
export function createJsonReporter(io: CliIo): CliReporter {
  const tell = (type: string, event: object): void =>
    io.stderr(showJsonLine({ type, time: new Date().toISOString(), ...event }));
  const told = new Map<OpenStep, { readonly at: number; readonly now: string | undefined }>();
  const steps = trackSteps({
    begin: ({ id, title, started }) =>
      tell("begin", { id, title, time: new Date(performance.timeOrigin + started).toISOString() }),
    progress: (step) => {
      const last = told.get(step);
      const { now } = step.progress;
      if (last?.now === now && performance.now() - (last?.at ?? 0) < interval) return;
      told.set(step, { at: performance.now(), now });
      tell("progress", { id: step.id, ...step.progress });
    },
    end: ({ id, title, progress }, { result, isFailed, took }) =>
      tell("end", {
        id,
        title,
        ...progress,
        result,
        failed: isFailed,
        milliseconds: Math.round(took),
      }),
  });
  io.screen.onEnd((failure) => {
    steps.failOpen();
    if (failure !== undefined) tell("error", describeFailure(failure, io));
    return failure !== undefined;
  });
  return {
    log: createLog((stream, line) => tell("log", { stream, ...describeLine(line) })),
    step: steps.step,
    explain: (reason) => tell("reason", { text: reason }),
    warn: (diagnostic) => tell("warning", describeDiagnostic(diagnostic)),
    result: (result) => tell("result", result),
  };
}

function createLog(tell: (stream: "stdout" | "stderr", line: Buffer) => void): OutputLog {
  const stdout = holdEachLine((line) => tell("stdout", Buffer.from(line)));
  const stderr = holdEachLine((line) => tell("stderr", Buffer.from(line)));
  const end = (): void => {
    stdout.end();
    stderr.end();
  };
  return { stdout: stdout.write, stderr: stderr.write, end };
}

/** Bytes that are no UTF-8 stand there as they are, too. */
function describeLine(line: Buffer): object {
  const text = line.toString("utf8");
  return Buffer.from(text).equals(line) ? { text } : { text, base64: line.toString("base64") };
}

function describeDiagnostic({ code, severity, message, hint, file, span }: Diagnostic): object {
  return { code, severity, message, hint, file, line: span?.start.line };
}

function describeFailure(failure: unknown, io: CliIo): object {
  const { exitStatus } = renderFailure(failure, io);
  if (io.signal.aborted) return { code: "interrupted", message: "interrupted", exitStatus };
  if (!(failure instanceof XbuildError))
    return {
      code: "internal",
      message: failure instanceof Error ? failure.message : String(failure),
      exitStatus,
    };
  const { code, message, hint, diagnostics } = failure;
  return { code, message, hint, exitStatus, diagnostics: diagnostics.map(describeDiagnostic) };
}
