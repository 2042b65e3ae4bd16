import { restateError, XbuildError } from "../errors.ts";
import {
  type Descriptor,
  type Digest,
  digestBytes,
  isJsonObject,
  maxDocumentSize,
  ociIndexType,
  parseIndex,
  pickPlatform,
  renderPlatform,
  toOciMediaType,
  tryParseJson,
  type WantedPlatform,
} from "../oci/oci.ts";
import { listSome } from "../text.ts";
import { createInvalid } from "./failures.ts";

/** The digest of a manifest list's entry for a platform; undefined for a document that is no list. Errors: `image-*`. */
export function findEntry(bytes: Uint8Array, platform: WantedPlatform): Digest | undefined {
  return isIndex(bytes) ? pickEntry(parseIndex(bytes).manifests, platform).digest : undefined;
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
