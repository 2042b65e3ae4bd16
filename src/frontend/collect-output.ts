import { ConnectError } from "@connectrpc/connect";
import { XbuildError } from "../errors.ts";
import type { Diagnostic, Span } from "../diagnostics.ts";
import { PlacedFailure } from "./failures.ts";
import { readFile, solveState } from "./gateway/solve.ts";
import { isLost, LostFailure } from "./lost-failure.ts";
import { fromFiles, runProgram } from "./llb/operations.ts";
import type { State } from "./llb/state.ts";
import {
  collectWord,
  places,
  requestName,
  resultName,
  resultSchema,
  type StepFailure,
  type StepMade,
  type StepRequest,
} from "./step/messages.ts";
import { withoutMissing } from "./without-missing.ts";
import type { FrontendWork } from "./work.ts";

/** What a stage's steps have written. */
export interface WrittenOutput {
  readonly state: State;
  /** The directory of the state that has it: absolute. */
  readonly path: string;
  /** What the stage is called. */
  readonly name: string;
  /** Where OUTPUT stands. */
  readonly span: Span;
}

export interface CollectedStep {
  readonly made: StepMade;
  /** What has the archives of new layers. */
  readonly state: State;
}

/**
 * Runs the steps, and a step of ours behind them that reads what they have written, on the machine that builds. Errors:
 * those of collecting, and BuildKit's.
 */
export async function collectWritten(
  { state, path, name, span }: WrittenOutput,
  given: Omit<StepRequest, "output">,
  { bridge, own, caches, options }: FrontendWork,
): Promise<CollectedStep> {
  const request: StepRequest = { ...given, output: path };
  const asked = fromFiles(
    [{ path: `/${requestName}`, mode: 0o644, data: Buffer.from(JSON.stringify(request)) }],
    "[internal] write what is asked of the layers",
  );
  const step = runProgram({
    root: own,
    args: [process.execPath, process.argv[1] ?? "", collectWord],
    env: ["PATH=/usr/bin"],
    mounts: [
      { state, target: places.root },
      { state: asked, target: places.request },
    ],
    output: places.result,
    name: `[layers] collect ${name}`,
    ignoreCache: options.given.has("no-cache"),
  });
  const ref = await solveState(bridge, step, { caches });
  const bytes = await readFile(bridge, ref, resultName).catch((error: unknown) => {
    if (isLost(error)) throw new LostFailure(step, error);
    throw isOwnStep(error) ? explainStep(error) : error;
  });
  const text = Buffer.from(bytes).toString("utf8");
  const result = resultSchema.parse(JSON.parse(text));
  if ("failure" in result) throw new PlacedFailure(restoreFailure(result.failure), span);
  return { made: result, state: step };
}

/** Whether the step of ours has failed, and no step of the file. */
function isOwnStep(error: unknown): boolean {
  const words = `${process.argv[1] ?? ""} ${collectWord}" did not complete successfully`;
  return error instanceof ConnectError && error.rawMessage.includes(words);
}

function explainStep(cause: unknown): XbuildError {
  const message = "the layers could not be collected: what the step said of it stands above";
  return new XbuildError("engine-failed", message, {
    hint: "see what the machine that builds lacks (space, open files), and build again",
    cause,
  });
}

/** As the step threw it. */
function restoreFailure({ code, message, hint, diagnostics }: StepFailure): XbuildError {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- this program has written it
  return new XbuildError(code as XbuildError["code"], message, {
    ...(hint === undefined ? {} : { hint }),
    diagnostics: diagnostics.map(restoreDiagnostic),
  });
}

export function restoreDiagnostic(written: StepFailure["diagnostics"][number]): Diagnostic {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- this program has written it
  return withoutMissing(written) as unknown as Diagnostic;
}
