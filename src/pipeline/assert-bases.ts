import { errorAt } from "../errors.ts";
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
  const message = `OUTPUT --from=${reference.name}: this named context is no image`;
  throw errorAt("output-unsupported", message, {
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
  for (const { stage, uses } of stages)
    for (const { instruction, reference } of uses) {
      if (!fired.has(instruction) || reference.kind !== "built") continue;
      const message = `a trigger of the base image uses the stage ${reference.name}, which has an OUTPUT`;
      throw errorAt("output-unsupported", message, {
        file: containerfile.file,
        span: (graph.stages[stage.index]?.stage ?? stage).from.span,
        hint: "name an image in the trigger, or a stage without OUTPUT",
      });
    }
}
