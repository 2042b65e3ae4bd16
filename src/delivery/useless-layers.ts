import { XbuildError } from "../errors.ts";
import { type Descriptor, type Digest, isExternal, type Location } from "../oci/oci.ts";
import { listSome } from "../text.ts";

/** Layers that an earlier image has and that are of no use: a build that is not offered them makes them anew. */
export class UselessLayersError extends XbuildError {
  readonly digests: readonly Digest[];

  constructor(
    code: "layer-gone" | "image-untrue",
    digests: readonly Digest[],
    words: { readonly message: string; readonly hint: string },
  ) {
    super(code, words.message, { hint: words.hint });
    this.digests = digests;
  }
}

/** The error for layers that none of the locations has any more. */
export function createLayersGone(
  layers: readonly Pick<Descriptor, "digest">[],
  locations: readonly Location[],
): UselessLayersError {
  const digests = layers.map((layer) => layer.digest);
  const unavailable = new Set(digests);
  const asked = locations.filter((one) => one.layers.some((digest) => unavailable.has(digest)));
  const where = listSome([...new Set(asked.map((one) => one.repository))]);
  const place = where === "" ? "no known registry has it" : `${where} no longer has it`;
  const what = layers.length === 1 ? "a kept layer is" : `${layers.length} kept layers are`;
  return new UselessLayersError("layer-gone", digests, {
    message: `${what} no longer available: ${listSome(digests)} (${place})`,
    hint: "build again with --no-cache, which keeps no layer of a previous image",
  });
}

/**
 * Refuses layers that no repository has and that a manifest says to be at addresses of its own (`urls`), where nobody
 * asks for them. image-spec v1.1, descriptor.md. Errors: `layer-external`.
 */
export function assertNotExternal(layers: readonly Descriptor[]): void {
  const external = layers.filter(isExternal).map(({ digest }) => digest);
  if (external.length === 0) return;
  const message = `no known registry has ${listSome(external)}: the image only names other addresses for it`;
  const hint = "push the image to a registry that takes it, or build without --input=all";
  throw new XbuildError("layer-external", message, { hint });
}

/** The error for layers whose bytes are not what an image says of them. `findings`: what is claimed, and what is so. */
export function createImageUntrue(
  digests: readonly Digest[],
  findings: readonly string[],
): UselessLayersError {
  return new UselessLayersError("image-untrue", digests, {
    message: `a previous image makes false claims about its layers: ${listSome(findings, 5, "; ")}`,
    hint: "find out who pushed that image; --ignore-cache-errors builds without these layers",
  });
}
