import { restateError, XbuildError } from "../errors.ts";
import {
  type Descriptor,
  type Digest,
  digestBytes,
  isAttestation,
  isJsonObject,
  maxDocumentSize,
  ociIndexType,
  parseConfig,
  parseIndex,
  parseManifest,
  pickPlatform,
  platformOf,
  renderPlatform,
  toOciMediaType,
  tryParseJson,
  type WantedPlatform,
} from "../oci/oci.ts";
import { listSome } from "../text.ts";
import { createInvalid } from "./failures.ts";

/** Reads a document of the place where a list is: the manifest or config of this digest. */
export type ReadPart = (digest: Digest, what: "manifest" | "config") => Promise<Uint8Array>;

/**
 * The digest of a manifest list's entry for a platform; undefined for a document that is no list. What is said of images
 * there (BuildKit's attestations) is no image. An entry need not say its platform: then its config does.
 * Errors: `image-*`; those of `readPart`
 */
export async function findEntry(
  bytes: Uint8Array,
  platform: WantedPlatform,
  readPart: ReadPart,
): Promise<Digest | undefined> {
  if (!isIndex(bytes)) return undefined;
  const entries = parseIndex(bytes).manifests.filter((one) => !isAttestation(one));
  const known = pickPlatform(entries, platform);
  if (known !== undefined) return known.digest;
  const completed = await Promise.all(entries.map((one) => completeEntry(one, readPart)));
  return pickEntry(completed, platform).digest;
}

/** All that a list offers; undefined for a document that is no list. Errors: as `findEntry` */
export async function listPlatforms(
  bytes: Uint8Array,
  readPart: ReadPart,
): Promise<readonly WantedPlatform[] | undefined> {
  if (!isIndex(bytes)) return undefined;
  const entries = parseIndex(bytes).manifests.filter((one) => !isAttestation(one));
  const completed = await Promise.all(entries.map((one) => completeEntry(one, readPart)));
  return completed.flatMap(({ platform }) => platform ?? []);
}

/** image-spec v1.1, image-index.md: "platform" is optional. */
async function completeEntry(entry: Descriptor, readPart: ReadPart): Promise<Descriptor> {
  if (entry.platform !== undefined) return entry;
  const { config } = parseManifest(await readPart(entry.digest, "manifest"));
  const platform = platformOf({ config: parseConfig(await readPart(config.digest, "config")) });
  return { ...entry, platform };
}

/** Whether a document is to be read as a manifest list, whatever it says that it is. */
function isIndex(bytes: Uint8Array): boolean {
  // What it is not, whoever reads it as a manifest says.
  const document = tryParseJson(bytes);
  if (!isJsonObject(document)) return false;
  const { mediaType } = document;
  const saysIndex = typeof mediaType === "string" && toOciMediaType(mediaType) === ociIndexType;
  return "manifests" in document || saysIndex;
}

/** The one that a platform runs. Errors: `image-unsupported`, which says what there is. */
function pickEntry(entries: readonly Descriptor[], wanted: WantedPlatform): Descriptor {
  const entry = pickPlatform(entries, wanted);
  if (entry !== undefined) return entry;
  const offered = entries.flatMap(({ platform }) => (platform ? [renderPlatform(platform)] : []));
  const others = offered.length === 0 ? "" : `, but for ${listSome([...new Set(offered)])}`;
  const message = `the index has no image for ${renderPlatform(wanted)}${others}`;
  throw new XbuildError("image-unsupported", message, {
    hint: "name another image, or another --platform",
  });
}

/** Refuses a document that is not the one of this digest, or too large to be one. Errors: `image-invalid`. */
export function assertDocument(bytes: Uint8Array, digest: Digest | undefined): void {
  if (bytes.byteLength > maxDocumentSize) {
    throw createInvalid(`a document of it is larger than ${maxDocumentSize} bytes`);
  }
  if (digest === undefined || digestBytes(bytes) === digest) return;
  throw createInvalid(`what came does not match the digest ${digest}`);
}

/** Documents do not know where they come from: the error says it. */
export async function withSourceName<T>(source: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof XbuildError) || !error.code.startsWith("image-")) throw error;
    throw restateError(error, { message: `${source}: ${error.message}` });
  }
}
