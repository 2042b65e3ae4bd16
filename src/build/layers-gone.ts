import { XbuildError } from "../errors.ts";
import type { Descriptor, Digest } from "../oci/model.ts";
import type { Location } from "../store/locations.ts";

/** Layers that nobody has any more, and that an earlier image had: a build that is not offered them makes them anew. */
export class LayersGoneError extends XbuildError {
  readonly digests: readonly Digest[];

  constructor(digests: readonly Digest[], message: string) {
    super("layer-gone", message, {
      hint: "build again with --no-cache: what is gone is not offered any more",
    });
    this.digests = digests;
  }
}

/** The error for layers that none of the locations has any more. */
export function createGone(
  layers: readonly Descriptor[],
  locations: readonly Location[],
): LayersGoneError {
  const digests = layers.map((layer) => layer.digest);
  const gone = new Set(digests);
  const asked = locations.filter((one) => one.layers.some((digest) => gone.has(digest)));
  const where = [...new Set(asked.map((one) => one.repository))].join(", ");
  const place = where === "" ? "no registry is known to have it" : `${where} has it no more`;
  const what = layers.length === 1 ? "a kept layer is" : `${layers.length} kept layers are`;
  const message = `${what} nowhere any more: ${digests.join(", ")} (${place})`;
  return new LayersGoneError(digests, message);
}
