import type { Span } from "../diagnostics.ts";
import { exitStatuses, XbuildError } from "../errors.ts";
import type { BuildPlan } from "../plan/plan.ts";
import type { BuildRequest } from "./request.ts";
import { nameImage } from "./resolve-images.ts";

/**
 * Refuses layers of what has none: a named context that is a directory.
 * @throws XbuildError `output-unsupported`, at the place in the file
 */
export function assertBases({ containerfile, target }: BuildPlan, request: BuildRequest): void {
  if (target.kind === "plain") return;
  const { from, fromSpans } = target.output;
  const wrong = from.findIndex(
    (one) => one.kind === "context" && nameImage(one, request) === undefined,
  );
  const reference = from[wrong];
  if (reference?.kind !== "context") return;
  throw refuse(`OUTPUT --from=${reference.name}: this named context is no image`, {
    file: containerfile.file,
    span: fromSpans[wrong] ?? target.output.instruction.span,
    hint: "give an image for it (--build-context NAME=docker-image://IMAGE), or copy its files in a stage",
  });
}

/**
 * Refuses a trigger that names a stage with an OUTPUT: it stands in no text of ours, and the engine would take the
 * stage as it is before its OUTPUT.
 * @throws XbuildError `output-unsupported`
 */
export function assertTriggers({ containerfile, dependencies, graph }: BuildPlan): void {
  const { stages, fired } = dependencies;
  const wrong = stages
    .flatMap(({ uses }) => uses)
    .find(({ instruction, reference }) => fired.has(instruction) && reference.kind === "built");
  if (wrong?.reference.kind !== "built") return;
  const { name } = wrong.reference;
  const index = stages.findIndex(({ uses }) => uses.includes(wrong));
  const { from } = (
    graph.stages[stages[index]?.stage.index ?? 0] ?? { stage: { from: wrong.instruction } }
  ).stage;
  throw refuse(`a trigger of the base image uses the stage ${name}, which has an OUTPUT`, {
    file: containerfile.file,
    span: from.span,
    hint: "name an image in the trigger, or a stage without OUTPUT",
  });
}

interface Refusal {
  readonly file: string;
  readonly span: Span;
  readonly hint: string;
}

function refuse(message: string, place: Refusal): XbuildError {
  const diagnostic = { code: "output-unsupported", severity: "error", message, ...place } as const;
  return new XbuildError("output-unsupported", message, {
    diagnostics: [diagnostic],
    exitStatus: exitStatuses.refused,
  });
}
