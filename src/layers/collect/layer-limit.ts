import { refuse, type Place } from "../../archive/archive.ts";
import type { LayerLimit } from "../model.ts";

/** Where too many layers come from, in words, and what to do about it. */
interface LimitWords extends Place {
  /** What the layers below come from. */
  readonly below: string;
  readonly hint: string;
}

/** Refuses an image of so many layers, those below included, where it is over the limit. Errors: `layers-too-many`. */
export function assertLayerLimit(
  count: number,
  { maxLayers, baseLayers }: LayerLimit,
  { below, ...place }: LimitWords,
): void {
  if (count <= maxLayers) return;
  const part = baseLayers === 0 ? "" : ` (${baseLayers} of them from ${below})`;
  const message = `the image would have ${count} layers${part}, but ${maxLayers} is the limit`;
  throw refuse("layers-too-many", message, place);
}
