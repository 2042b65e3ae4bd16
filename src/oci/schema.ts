import { quoteText } from "../text.ts";
import { digestBytes } from "./digest.ts";
import { configSchema, indexSchema, manifestSchema } from "./document-schemas.ts";
import { check, dropNulls, invalid, parseDocument, unsupported } from "./document.ts";
import { isJsonObject } from "./json.ts";
import {
  compressionOf,
  isEncryptedType,
  isSchema1Type,
  ociConfigType,
  toOciMediaType,
} from "./media-types.ts";
import type { Descriptor, Image, ImageConfig, Manifest } from "./model.ts";

/** image-spec v1.1, image-index.md. */
export interface Index {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * An image from its two documents, OCI's or Docker's schema 2; null members count as missing, as Go's
 * tools write them. Errors: `image-invalid` (not what the specification says), `image-unsupported`
 * (schema 1, an index, an artifact, encrypted layers). image-spec v1.1, manifest.md and config.md.
 */
export function parseImage(manifestBytes: Uint8Array, configBytes: Uint8Array): Image {
  const manifest = parseManifest(manifestBytes);
  const config = parseConfig(configBytes);
  assertBelongsTogether(manifest, config, configBytes);
  return { digest: digestBytes(manifestBytes), manifestBytes, manifest, configBytes, config };
}

/** A manifest alone. Errors: as `parseImage`. */
export function parseManifest(bytes: Uint8Array): Manifest {
  const document = parseDocument(bytes, "manifest");
  assertSupported(document);
  const manifest: Manifest = check(manifestSchema, document, "manifest");
  if (toOciMediaType(manifest.config.mediaType) !== ociConfigType) {
    throw unsupported("it is an artifact, not a container image", "name a container image");
  }
  assertLayers(manifest.layers);
  return manifest;
}

function assertLayers(layers: readonly Descriptor[]): void {
  const odd = layers.findIndex((layer) => compressionOf(layer.mediaType) === undefined);
  const layer = layers[odd];
  if (layer === undefined) return;
  if (isEncryptedType(layer.mediaType)) {
    throw unsupported(`its layer ${odd + 1} is encrypted`, "decrypt the image first");
  }
  const reason = `its layer ${odd + 1} has the media type ${quoteText(layer.mediaType)}, which is not a layer's`;
  throw unsupported(
    reason,
    "name an image whose layers are tar archives, plain or with gzip or zstd",
  );
}

/** An image index, or Docker's manifest list. Errors: `image-invalid`. image-spec v1.1, image-index.md. */
export function parseIndex(bytes: Uint8Array): Index {
  const document = parseDocument(bytes, "index");
  assertUnambiguous(document);
  return check(indexSchema, document, "index");
}

/** A config alone. Errors: `image-invalid`. image-spec v1.1, config.md. */
export function parseConfig(bytes: Uint8Array): ImageConfig {
  const document = dropNulls(parseDocument(bytes, "config"));
  if (!isJsonObject(document)) return check(configSchema, document, "config");
  const history = Array.isArray(document["history"])
    ? { history: document["history"].map(dropNulls) }
    : {};
  const inner = "config" in document ? { config: dropNulls(document["config"]) } : {};
  return check(configSchema, { ...document, ...history, ...inner }, "config");
}

/** What is two things at once is another one for each reader. CVE-2021-41190 */
function assertUnambiguous(document: unknown): void {
  if (!isJsonObject(document) || !("manifests" in document)) return;
  if ("layers" in document || "config" in document) {
    throw invalid("it is both an image and an index");
  }
}

function assertSupported(document: unknown): void {
  assertUnambiguous(document);
  if (!isJsonObject(document)) return;
  const { mediaType, schemaVersion } = document;
  if (schemaVersion === 1 || (typeof mediaType === "string" && isSchema1Type(mediaType))) {
    throw unsupported(
      "it uses Docker's manifest schema 1",
      "pull it with a current tool and push it again",
    );
  }
  if ("manifests" in document) {
    throw unsupported(
      "it is an index of several images",
      "name the image of one platform by its digest",
    );
  }
}

function assertBelongsTogether(
  manifest: Manifest,
  config: ImageConfig,
  configBytes: Uint8Array,
): void {
  if (digestBytes(configBytes) !== manifest.config.digest) {
    throw invalid("its config is not the one that the manifest names");
  }
  const [layers, diffIds] = [manifest.layers.length, config.rootfs.diff_ids.length];
  if (layers !== diffIds) throw invalid(`it has ${layers} layers, but ${diffIds} diff IDs`);
}
