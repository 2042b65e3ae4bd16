import { restateError, XbuildError } from "../errors.ts";
import {
  type Descriptor,
  type Digest,
  digestBytes,
  isJsonObject,
  ociIndexType,
  parseIndex,
  type Platform,
  toOciMediaType,
  tryParseJson,
} from "../oci/oci.ts";
import type { TransportAccess } from "./access.ts";
import { createInvalid } from "./failures.ts";
import type { ImageReference } from "./reference.ts";
import { inspect, type TransferOptions } from "./skopeo.ts";

/** What tells the images of a manifest list apart. */
export type WantedPlatform = Pick<Platform, "architecture" | "os" | "variant">;

/**
 * A manifest as the registry gives it, byte for byte; it is the one whose digest the reference names.
 * Errors: `registry-*`, `image-invalid`.
 */
export async function readManifestBytes(
  { text, digest }: ImageReference,
  options: TransferOptions & { readonly access: TransportAccess },
): Promise<Uint8Array> {
  const bytes = await inspect(text, ["--raw"], options);
  if (digest !== undefined && digestBytes(bytes) !== digest) {
    throw createInvalid(`the registry's answer does not match the digest ${digest}`);
  }
  return bytes;
}

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

function pickEntry(entries: readonly Descriptor[], wanted: WantedPlatform): Descriptor {
  const fitting = entries.filter(
    ({ platform }) => platform?.architecture === wanted.architecture && platform.os === wanted.os,
  );
  const entry =
    fitting.find(({ platform }) => platform?.variant === wanted.variant) ??
    fitting.find(({ platform }) => wanted.variant === undefined || platform?.variant === undefined);
  if (entry !== undefined) return entry;
  const { os, architecture, variant } = wanted;
  const name = [os, architecture, ...(variant === undefined ? [] : [variant])].join("/");
  throw new XbuildError("image-unsupported", `the index has no image for ${name}`, {
    hint: "name another image, or another --platform",
  });
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
