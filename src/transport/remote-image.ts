import { restateError, XbuildError } from "../errors.ts";
import { digestBytes } from "../oci/digest.ts";
import { isJsonObject } from "../oci/json.ts";
import { ociIndexType, toOciMediaType } from "../oci/media-types.ts";
import type { Descriptor, Digest, Image, Platform } from "../oci/model.ts";
import { parseImage, parseIndex, parseManifest } from "../oci/schema.ts";
import type { TransportAccess } from "./access.ts";
import { createInvalid, hints, isMissing } from "./failures.ts";
import type { ImageReference } from "./reference.ts";
import { inspect, type TransferOptions } from "./skopeo.ts";

/** What tells the images of a manifest list apart. */
export type WantedPlatform = Pick<Platform, "architecture" | "os" | "variant">;

interface ReadOptions extends TransferOptions {
  readonly access: TransportAccess;
  /** Of a manifest list, the entry that is meant. */
  readonly platform: WantedPlatform;
}

/**
 * The image of a reference into a registry, or undefined where there is none: its manifest and config, and
 * no layer. Of a manifest list (image index) it is the platform's entry.
 * Errors: `registry-*`, `image-invalid`, `image-unsupported`, each naming the reference.
 */
export async function readRemoteImage(
  reference: ImageReference,
  options: ReadOptions,
): Promise<Image | undefined> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await readOnce(reference, options);
    } catch (error) {
      // skopeo compares what it gets by a tag with no digest: a wrong byte shows in what the document says.
      const isDamaged =
        error instanceof XbuildError && /^(?:image-|registry-corrupt$)/.test(error.code);
      if (!isDamaged || attempt >= options.access.retries) throw error;
    }
  }
}

async function readOnce(
  reference: ImageReference,
  options: ReadOptions,
): Promise<Image | undefined> {
  const manifestBytes = await readManifest(reference, options);
  if (manifestBytes === undefined) return undefined;
  return naming(reference, async () => {
    parseManifest(manifestBytes);
    // By its digest: the tag may have moved on since.
    const fixed = `docker://${reference.repository}@${digestBytes(manifestBytes)}`;
    return parseImage(manifestBytes, await readConfig(reference, fixed, options));
  });
}

/** skopeo takes a manifest by a tag as it comes; one with a wrong byte names what nobody has. */
async function readConfig(
  reference: ImageReference,
  fixed: string,
  options: ReadOptions,
): Promise<Uint8Array> {
  try {
    return await inspect(fixed, ["--config", "--raw"], options);
  } catch (error) {
    if (!isMissing(error)) throw error;
    const message = `${reference.text}: the registry does not have what its own answer names`;
    throw new XbuildError("registry-corrupt", message, { hint: hints.corrupt, cause: error });
  }
}

/** The ID that an engine would give the image: its config's digest. Errors: as `readRemoteImage`. */
export async function readRemoteId(
  reference: ImageReference,
  options: ReadOptions,
): Promise<Digest | undefined> {
  const manifestBytes = await readManifest(reference, options);
  if (manifestBytes === undefined) return undefined;
  return naming(reference, () => Promise.resolve(parseManifest(manifestBytes).config.digest));
}

async function readManifest(
  reference: ImageReference,
  options: ReadOptions,
): Promise<Uint8Array | undefined> {
  try {
    return await naming(reference, async () => {
      const bytes = await inspect(reference.text, ["--raw"], options);
      assertDigest(bytes, reference.digest);
      if (!isIndex(bytes)) return bytes;
      const entry = pickEntry(parseIndex(bytes).manifests, options.platform);
      const fixed = `docker://${reference.repository}@${entry.digest}`;
      const manifest = await inspect(fixed, ["--raw"], options);
      assertDigest(manifest, entry.digest);
      return manifest;
    });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function assertDigest(bytes: Uint8Array, expected: Digest | undefined): void {
  if (expected === undefined || digestBytes(bytes) === expected) return;
  throw createInvalid(`the registry's answer does not have the digest ${expected}`);
}

/**
 * Whether a document is a manifest list. One that could be read as manifest and as index at once is
 * refused, whatever it says that it is (CVE-2021-41190): two readers would see two images.
 */
function isIndex(bytes: Uint8Array): boolean {
  const document = parseJson(bytes);
  if (!isJsonObject(document)) return false;
  const looksLikeIndex = "manifests" in document;
  if (looksLikeIndex && ("config" in document || "layers" in document)) {
    throw createInvalid("it is a manifest and an index at once");
  }
  const { mediaType } = document;
  const saysIndex = typeof mediaType === "string" && toOciMediaType(mediaType) === ociIndexType;
  return looksLikeIndex || saysIndex;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    // What it is not, whoever reads it as a manifest says.
    return undefined;
  }
}

function pickEntry(entries: readonly Descriptor[], wanted: WantedPlatform): Descriptor {
  const fitting = entries.filter(
    ({ platform }) => platform?.architecture === wanted.architecture && platform.os === wanted.os,
  );
  const found =
    fitting.find(({ platform }) => platform?.variant === wanted.variant) ??
    fitting.find(({ platform }) => wanted.variant === undefined || platform?.variant === undefined);
  if (found !== undefined) return found;
  const { os, architecture, variant } = wanted;
  const name = [os, architecture, ...(variant === undefined ? [] : [variant])].join("/");
  throw new XbuildError("image-unsupported", `it has no image for ${name}`, {
    hint: "name another image, or another --platform",
  });
}

/** Documents do not know where they come from: the error says it. */
async function naming<T>(reference: ImageReference, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof XbuildError) || !error.code.startsWith("image-")) throw error;
    throw restateError(error, { message: `${reference.text}: ${error.message}` });
  }
}
