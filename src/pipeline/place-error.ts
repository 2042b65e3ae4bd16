import type { Span } from "../diagnostics.ts";
import { errorAt, type XbuildError } from "../errors.ts";
import type { Reference } from "../containerfile/containerfile.ts";
import { imageKey } from "../plan/plan.ts";
import { type ImageUse, nameImage } from "./resolve-images.ts";

/** The same error, told where the file names the image, or the named context that it is; as it is for a trigger's. */
export function placeError(error: XbuildError, use: ImageUse): XbuildError {
  const { plan } = use;
  const span = findUse(use);
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

function findUse({ plan: { needed }, reference, request }: ImageUse): Span | undefined {
  const key = imageKey(reference);
  const isMeant = (one: Reference): boolean => nameImage(one, request) === key;
  for (const { stage, base, uses, output } of needed) {
    if (isMeant(base)) return stage.from.span;
    const use = uses.find((one) => isMeant(one.reference));
    if (use !== undefined) return use.flag.span;
    const at = output?.from.findIndex(isMeant) ?? -1;
    if (at !== -1) return output?.fromSpans[at];
  }
  return undefined;
}
