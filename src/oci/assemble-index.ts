import { platformKeys } from "./assemble.ts";
import { describeManifest } from "./describe.ts";
import { digestBytes } from "./digest.ts";
import { encodeJson, orderMembers, sortKeys } from "./json.ts";
import { ociIndexType } from "./media-types.ts";
import { namePlatform } from "./platforms.ts";
import type { Annotations, Descriptor, Image, ImageIndex, Platform } from "./model.ts";

/**
 * The index of these images in the order given, as exact bytes: the same images give the same digest on every machine.
 * What is said of an image's platform is what its config says. image-spec v1.1, image-index.md.
 */
export function assembleIndex(images: readonly Image[], annotations: Annotations = {}): ImageIndex {
  const manifests = images.map(describePlatformImage);
  const sorted = sortKeys(annotations);
  const bytes = encodeJson({
    schemaVersion: 2,
    mediaType: ociIndexType,
    manifests,
    ...(Object.keys(sorted).length === 0 ? {} : { annotations: sorted }),
  });
  return { digest: digestBytes(bytes), bytes, manifests, images, annotations: sorted };
}

/**
 * The index with these images too: one of a platform that is there already takes its place. The index itself where it has
 * them all.
 */
export function mergeIndex(index: ImageIndex | undefined, images: readonly Image[]): ImageIndex {
  if (index === undefined) return assembleIndex(images);
  const known = new Set(index.images.map(({ digest }) => digest));
  if (images.every(({ digest }) => known.has(digest))) return index;
  const merged = new Map(index.images.map((image) => [namePlatform(platformOf(image)), image]));
  for (const image of images) merged.set(namePlatform(platformOf(image)), image);
  return assembleIndex([...merged.values()], index.annotations);
}

/** The descriptor of an image in an index: with its platform. image-spec v1.1, image-index.md, "manifests" */
function describePlatformImage(image: Image): Descriptor {
  return { ...describeManifest(image), platform: platformOf(image) };
}

/** What an image's config says of its platform. */
export function platformOf({ config }: Pick<Image, "config">): Platform {
  const { architecture, os, variant } = config;
  const rest = { "os.version": config["os.version"], "os.features": config["os.features"] };
  return {
    architecture,
    os,
    ...Object.fromEntries(orderMembers({ variant, ...rest }, platformKeys)),
  };
}

/** The descriptor of the index itself. image-spec v1.1, descriptor.md */
export function describeIndex({ digest, bytes }: Pick<ImageIndex, "digest" | "bytes">): Descriptor {
  return { mediaType: ociIndexType, digest, size: bytes.byteLength };
}
