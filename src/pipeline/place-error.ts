import type { Span } from "../diagnostics.ts";
import { errorAt, type XbuildError } from "../errors.ts";
import { type BuildPlan, imageKey, type ImageReference } from "../plan/plan.ts";
import type { ImageUse } from "./resolve-images.ts";

/** The same error, told where the file names the image; as it is where the file does not (a trigger, a named context). */
export function placeError(error: XbuildError, { reference, plan }: ImageUse): XbuildError {
  const span = findUse(plan, reference);
  if (span === undefined || error.diagnostics.length > 0) return error;
  const { code, message, hint, exitStatus, cause } = error;
  return errorAt(code, message, {
    file: plan.containerfile.file,
    span,
    exitStatus,
    cause,
    ...(hint === undefined ? {} : { hint }),
  });
}

function findUse({ needed }: BuildPlan, reference: ImageReference): Span | undefined {
  const key = imageKey(reference);
  for (const { stage, base, uses, output } of needed) {
    if (imageKey(base) === key) return stage.from.span;
    const use = uses.find((one) => imageKey(one.reference) === key);
    if (use !== undefined) return use.flag.span;
    const at = output?.from.findIndex((one) => imageKey(one) === key) ?? -1;
    if (at !== -1) return output?.fromSpans[at];
  }
  return undefined;
}
