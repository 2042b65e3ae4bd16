import { addHint, exitStatuses, XbuildError } from "../errors.ts";
import { explainUnknownName, type PreviousImages } from "../layers/layers.ts";
import type { PreparedLayers } from "./prepare-layers.ts";

/** What a layering step had before it. */
export interface StepPlace {
  readonly prepared: PreparedLayers;
  readonly previous: PreviousImages;
}

/** @returns the error of the steps, with what their directory tells of it */
export function explainStep(error: unknown, { prepared, previous }: StepPlace): unknown {
  if (!(error instanceof XbuildError) || error.code !== "step-failed") return error;
  // The exit status of `layer keep`; it says nothing itself, for scripts use it as a condition.
  if (error.exitStatus !== exitStatuses.refused) return error;
  const unknown = explainUnknownName(prepared.directory.output, previous);
  return unknown === undefined ? error : addHint(error, unknown);
}
