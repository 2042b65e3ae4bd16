import { keyAnnotation } from "./annotations.ts";
import { digestBytes } from "./digest.ts";
import { dropFingerprints, packFingerprints } from "./fingerprints.ts";
import { encodeJson, isJsonObject, orderMembers, sortKeys } from "./json.ts";
import { ociConfigType, ociManifestType, toOciMediaType } from "./media-types.ts";
import type {
  Annotations,
  ContainerConfig,
  Descriptor,
  Digest,
  HistoryEntry,
  Image,
  ImageConfig,
  Json,
  Manifest,
  Platform,
} from "./model.ts";

export interface AssembleEntry {
  readonly history: HistoryEntry;
  readonly layer?: { readonly descriptor: Descriptor; readonly diffId: Digest };
}

export interface AssembleInput {
  readonly platform: Platform;
  readonly config: ContainerConfig;
  readonly author?: string;
  /** In the image's order, lowest layer first; an entry without a layer is an empty one. */
  readonly entries: readonly AssembleEntry[];
  /** Of the manifest. */
  readonly annotations: Annotations;
  /** RFC 3339, whole seconds, UTC: the image's time, and that of entries that have none; undefined where others fill it in. */
  readonly created: string | undefined;
  /** SOURCE_DATE_EPOCH in seconds: where it is given, every time in the image. */
  readonly epoch?: number;
}

// The order of the structs in image-spec's specs-go, so that equal images have the bytes that Go's tools write.
export const platformKeys = ["architecture", "os", "os.version", "os.features", "variant"];
const imageKeys = ["created", "author", ...platformKeys, "config", "rootfs", "history"];
const historyKeys = ["created", "created_by", "author", "comment", "empty_layer"];
const descriptorKeys = ["mediaType", "digest", "size", "urls", "annotations", "data", "platform"];
const configKeys = [
  "User",
  "ExposedPorts",
  "Env",
  "Entrypoint",
  "Cmd",
  "Healthcheck",
  "Volumes",
  "WorkingDir",
  "OnBuild",
  "Labels",
  "StopSignal",
  "Shell",
  "ArgsEscaped",
];

/**
 * The image of these layers and this config as exact bytes: the same input gives the same digest on every
 * machine. OCI types throughout. image-spec v1.1, manifest.md and config.md.
 */
export function assembleImage(input: AssembleInput): Image {
  const config = createConfig(input);
  const configBytes = encodeJson(config);
  const manifest = createManifest(input, configBytes);
  const manifestBytes = encodeJson(manifest);
  return { digest: digestBytes(manifestBytes), manifestBytes, manifest, configBytes, config };
}

/**
 * The first of the previous images that the new one would differ from in nothing but times (which an epoch
 * fixes, so then in not even those) and our own key annotation; else the new image.
 */
export function assembleWithPrevious(input: AssembleInput, previous: readonly Image[]): Image {
  const image = assembleImage(input);
  if (previous.length === 0) return image;
  const content = describeContent(image, input);
  return previous.find((one) => describeContent(one, input) === content) ?? image;
}

function createConfig(input: AssembleInput): ImageConfig {
  const created = input.epoch === undefined ? input.created : formatEpoch(input.epoch);
  const { author, config, entries } = input;
  const { architecture, os, ...platform } = input.platform;
  const layers = entries.flatMap((entry) => (entry.layer === undefined ? [] : [entry.layer]));
  return {
    ...Object.fromEntries(orderMembers({ created, author }, imageKeys)),
    architecture,
    os,
    ...Object.fromEntries(orderMembers(platform, imageKeys)),
    config: orderConfig(config),
    rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
    history: entries.map((entry) => createHistoryEntry(entry, created, input.epoch)),
  };
}

function createHistoryEntry(
  { history, layer }: AssembleEntry,
  created: string | undefined,
  epoch: number | undefined,
): HistoryEntry {
  const own = epoch === undefined ? history.created : undefined;
  const entry = { ...history, created: own ?? created, empty_layer: layer === undefined };
  return Object.fromEntries(orderMembers(entry, historyKeys));
}

function createManifest(input: AssembleInput, configBytes: Uint8Array): Manifest {
  const packed = packFingerprints(
    input.entries.flatMap(({ layer }) => (layer === undefined ? [] : [layer.descriptor])),
  );
  const layers = packed.layers.map(createDescriptor);
  const annotations = sortKeys({ ...dropFingerprints(input.annotations), ...packed.annotations });
  return {
    schemaVersion: 2,
    mediaType: ociManifestType,
    config: {
      mediaType: ociConfigType,
      digest: digestBytes(configBytes),
      size: configBytes.byteLength,
    },
    layers,
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}

function createDescriptor(descriptor: Descriptor): Descriptor {
  const { mediaType, digest, size, ...rest } = descriptor;
  const optional = Object.fromEntries(orderMembers(sortKeys(rest), descriptorKeys));
  return { mediaType: toOciMediaType(mediaType), digest, size, ...optional };
}

/** Maps have no order of their own: Go writes their keys sorted. */
function orderConfig(config: ContainerConfig): ContainerConfig {
  const members = orderMembers(config, configKeys).map(([key, value]): [string, Json] => [
    key,
    isJsonObject(value) && key !== "Healthcheck" ? sortKeys(value) : value,
  ]);
  return Object.fromEntries(members);
}

function formatEpoch(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
}

/**
 * All that an image says, as one comparable text, its times where an epoch fixes them; the config's own digest
 * and size follow from it.
 */
function describeContent(image: Image, { epoch }: AssembleInput): string {
  const { config: _, annotations = {}, ...manifest } = image.manifest;
  const { [keyAnnotation]: __, ...others } = annotations;
  const config = epoch === undefined ? removeTimes(image.config) : image.config;
  return JSON.stringify(sortKeys({ manifest, annotations: others, config }));
}

function removeTimes(config: ImageConfig): object {
  const { created: _, history = [], ...rest } = config;
  return { ...rest, history: history.map(({ created: __, ...entry }) => entry) };
}
