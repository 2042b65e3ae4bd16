import type { Descriptor, Image } from "./model.ts";

/** The descriptor of an image's manifest: what an index says of the image. image-spec v1.1, descriptor.md. */
export function describeManifest({ manifest, digest, manifestBytes }: Image): Descriptor {
  return { mediaType: manifest.mediaType, digest, size: manifestBytes.byteLength };
}
