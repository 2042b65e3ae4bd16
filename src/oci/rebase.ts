import { XbuildError } from "../errors.ts";
import { baseDigestAnnotation, baseNameAnnotation, keyAnnotation } from "./annotations.ts";
import { assembleWithPrevious } from "./assemble.ts";
import { listHistory, listHistoryAbove } from "./history.ts";
import { ociManifestType } from "./media-types.ts";
import type { Annotations, Digest, Image, Platform } from "./model.ts";
import { mergeBases, mergeValue } from "./rebase-config.ts";

export interface Rebase {
  readonly image: Image;
  /** What the image was built on: its layers are the image's lowest. */
  readonly from: Image;
  readonly onto: Image;
  /** The new base's name in full; undefined where no registry has it. */
  readonly name: string | undefined;
  /** RFC 3339, whole seconds, UTC: the time of the new image; history entries keep theirs. */
  readonly created: string;
}

/**
 * An image's own layers on another base: the base's layers below them, each as its image has it, the
 * histories likewise, the config merged from three sides (`mergeBases`). The key of its build is dropped, for
 * the image is no longer what that build makes. Where nothing but times would change, it is the image itself.
 * Errors: `rebase-base-mismatch`, `image-unsupported` (another platform).
 */
export function rebaseImage(rebase: Rebase): Image {
  const { image, from, onto, created } = rebase;
  assertBuiltOn(image, from);
  assertPlatform(image.config, onto.config);
  const isOci = image.manifest.mediaType === ociManifestType;
  if (from.digest === onto.digest && isOci) return image;
  const author = mergeValue({
    own: image.config.author,
    from: from.config.author,
    onto: onto.config.author,
  });
  const input = {
    platform: mergePlatforms(rebase),
    config: mergeBases(
      image.config.config ?? {},
      from.config.config ?? {},
      onto.config.config ?? {},
    ),
    ...(author === undefined ? {} : { author }),
    entries: [
      ...listHistory(onto),
      ...listHistoryAbove(image, from, from.config.rootfs.diff_ids.length),
    ].map(({ entry: history, layer }) => (layer === undefined ? { history } : { history, layer })),
    annotations: mergeAnnotations(rebase),
    created,
  };
  return assembleWithPrevious(input, [image]);
}

/** Whether an image's lowest layers are all those of another. */
export function isBuiltOn(image: Image, base: Image): boolean {
  return countCommonLayers(image, base) === base.config.rootfs.diff_ids.length;
}

/** What tells the content of an image's layers. */
type Layered = Pick<Image, "config">;

/** How many layers two images have in common, from the lowest up, by their content. */
export function countCommonLayers(a: Layered, b: Layered): number {
  return countCommon(a.config.rootfs.diff_ids, b.config.rootfs.diff_ids);
}

/** The same of lists of diff IDs, the lowest first. */
export function countCommon(a: readonly Digest[], b: readonly Digest[]): number {
  const differing = a.findIndex((diffId, index) => diffId !== b[index]);
  return differing === -1 ? a.length : differing;
}

function assertBuiltOn(image: Image, from: Image): void {
  const common = countCommonLayers(image, from);
  const count = from.config.rootfs.diff_ids.length;
  if (common === count) return;
  const message = `the image was not built on ${from.digest}: only ${common} of that base's ${count} layers are its lowest layers`;
  const hint = "name the base that it was built on with --from";
  throw new XbuildError("rebase-base-mismatch", message, { hint });
}

function assertPlatform(own: Platform, base: Platform): void {
  if (own.os === base.os && own.architecture === base.architecture) return;
  const [wanted, offered] = [own, base].map(({ os, architecture }) => `${os}/${architecture}`);
  const message = `the new base is for ${offered}, but the image is for ${wanted}`;
  const hint = `name a base that has an image for ${wanted}`;
  throw new XbuildError("image-unsupported", message, { hint });
}

function mergePlatforms({ image, from, onto }: Rebase): Platform {
  const [own, old, next] = [image.config, from.config, onto.config];
  const variant = mergeValue({ own: own.variant, from: old.variant, onto: next.variant });
  const [version, features] = [
    mergeValue({ own: own["os.version"], from: old["os.version"], onto: next["os.version"] }),
    mergeValue({ own: own["os.features"], from: old["os.features"], onto: next["os.features"] }),
  ];
  return {
    architecture: own.architecture,
    os: own.os,
    ...(variant === undefined ? {} : { variant }),
    ...(version === undefined ? {} : { "os.version": version }),
    ...(features === undefined ? {} : { "os.features": features }),
  };
}

function mergeAnnotations({ image, onto, name }: Rebase): Annotations {
  const {
    [keyAnnotation]: _,
    [baseNameAnnotation]: __,
    ...others
  } = image.manifest.annotations ?? {};
  const named = name === undefined ? {} : { [baseNameAnnotation]: name };
  return { ...others, ...named, [baseDigestAnnotation]: onto.digest };
}
