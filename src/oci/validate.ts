import { XbuildError } from "../errors.ts";
import { digestBytes } from "./digest.ts";
import { compressionOf, ociConfigType, ociManifestType, toOciMediaType } from "./media-types.ts";
import type { Descriptor, Image } from "./model.ts";
import { compare, validateBlob, type BlobReader, type Finding } from "./validate-blob.ts";

/**
 * All that is wrong with an image by image-spec v1.1 (manifest.md, config.md, layer.md): documents against
 * their schema, digests, sizes, media types, history against layers, and, where `reader` gives their bytes,
 * every layer's digest, size, compression and diff ID. Empty for a valid image.
 */
export async function validateImage(
  image: Image,
  reader?: BlobReader,
): Promise<readonly Finding[]> {
  const documents = [
    ...(await validateSchemas(image)),
    ...validateManifest(image),
    ...validateConfig(image),
  ];
  if (reader === undefined) return documents;
  const layers: Finding[] = [];
  for (const [index, descriptor] of image.manifest.layers.entries()) {
    const diffId = image.config.rootfs.diff_ids[index];
    const claim = { descriptor, diffId, path: `manifest.layers.${index}` };
    layers.push(...(await validateBlob(claim, reader)));
  }
  return [...documents, ...layers];
}

async function validateSchemas(image: Image): Promise<readonly Finding[]> {
  // zod is slow to load, and only this needs it.
  const { parseConfig, parseManifest } = await import("./schema.ts");
  return [
    ...catchFinding("manifest", () => parseManifest(image.manifestBytes)),
    ...catchFinding("config", () => parseConfig(image.configBytes)),
  ];
}

/** A finding where a document does not follow its schema. */
export function catchFinding(path: string, parse: () => unknown): readonly Finding[] {
  try {
    parse();
    return [];
  } catch (error) {
    if (!(error instanceof XbuildError)) throw error;
    return [{ code: `${path}-schema`, message: error.message, path }];
  }
}

function validateManifest({ digest, manifestBytes, configBytes, manifest }: Image): Finding[] {
  const { config, layers, mediaType } = manifest;
  return [
    ...compare("manifest-digest", "digest", { said: digest, actual: digestBytes(manifestBytes) }),
    ...compare("manifest-type", "manifest.mediaType", { said: mediaType, actual: ociManifestType }),
    ...compare("config-type", "manifest.config.mediaType", {
      said: config.mediaType,
      actual: ociConfigType,
    }),
    ...compare("config-digest", "manifest.config", {
      said: config.digest,
      actual: digestBytes(configBytes),
    }),
    ...compare("config-size", "manifest.config", {
      said: config.size,
      actual: configBytes.byteLength,
    }),
    ...layers.flatMap(validateLayerType),
  ];
}

function validateLayerType({ mediaType }: Descriptor, index: number): readonly Finding[] {
  const path = `manifest.layers.${index}.mediaType`;
  if (compressionOf(mediaType) === undefined) {
    return [
      {
        code: "layer-type",
        message: `${mediaType} is not the media type of a layer that can be read`,
        path,
      },
    ];
  }
  return compare("layer-type", path, { said: mediaType, actual: toOciMediaType(mediaType) });
}

function validateConfig({ manifest, config }: Image): Finding[] {
  const { rootfs, history, created } = config;
  const entries = history ?? [];
  const filled = entries.filter((entry) => entry.empty_layer !== true).length;
  const layers = manifest.layers.length;
  return [
    ...compare("diff-id-count", "config.rootfs.diff_ids", {
      said: rootfs.diff_ids.length,
      actual: layers,
    }),
    ...(history === undefined
      ? []
      : compare("history-count", "config.history", { said: filled, actual: layers })),
    ...validateTime("config.created", created),
    ...entries.flatMap((entry, index) =>
      validateTime(`config.history.${index}.created`, entry.created),
    ),
  ];
}

/** RFC 3339, section 5.6. */
const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

function validateTime(path: string, time: string | undefined): readonly Finding[] {
  if (time === undefined) return [];
  if (timePattern.test(time) && !Number.isNaN(Date.parse(time))) return [];
  return [
    { code: "time-format", message: `${JSON.stringify(time)} is not an RFC 3339 time`, path },
  ];
}
