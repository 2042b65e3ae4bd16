import { XbuildError } from "../errors.ts";
import { type Digest, digestBytes, type Image, parseImage, parseManifest } from "../oci/oci.ts";
import { hints, isMissing } from "./failures.ts";
import { assertAccepted, type JudgeOptions } from "./judge.ts";
import { findEntry, readManifestBytes, type WantedPlatform, withSourceName } from "./manifests.ts";
import { referToDigest, type RegistryReference } from "./reference.ts";
import { inspect } from "./skopeo.ts";

export type { WantedPlatform } from "./manifests.ts";

interface ReadOptions extends JudgeOptions {
  /** Of a manifest list, the entry that is meant. */
  readonly platform: WantedPlatform;
}

/**
 * The image of a reference into a registry, or undefined where there is none: its manifest and config, and
 * no layer. Of a manifest list (image index) it is the platform's entry. It is one that the policy in force accepts.
 * Errors: `registry-*`, `policy-rejected`, `image-invalid`, `image-unsupported`, each naming the reference.
 */
export async function readRemoteImage(
  reference: RegistryReference,
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
  reference: RegistryReference,
  options: ReadOptions,
): Promise<Image | undefined> {
  const manifestBytes = await readManifest(reference, options);
  if (manifestBytes === undefined) return undefined;
  return withSourceName(reference.text, async () => {
    parseManifest(manifestBytes);
    // By its digest: the tag may have moved on since.
    const fixed = referToDigest(reference.repository, digestBytes(manifestBytes));
    return parseImage(manifestBytes, await readConfig(reference, fixed.text, options));
  });
}

/** skopeo takes a manifest by a tag as it comes; one with a wrong byte names what nobody has. */
async function readConfig(
  reference: RegistryReference,
  fixed: string,
  options: ReadOptions,
): Promise<Uint8Array> {
  try {
    return await inspect(fixed, ["--config", "--raw"], options);
  } catch (error) {
    if (!isMissing(error)) throw error;
    const message = `${reference.text}: the registry does not have the config that its own manifest names`;
    throw new XbuildError("registry-corrupt", message, { hint: hints.corrupt, cause: error });
  }
}

/** The ID that an engine would give the image: its config's digest. Errors: as `readRemoteImage`. */
export async function readRemoteId(
  reference: RegistryReference,
  options: ReadOptions,
): Promise<Digest | undefined> {
  const manifestBytes = await readManifest(reference, options);
  if (manifestBytes === undefined) return undefined;
  return withSourceName(reference.text, () =>
    Promise.resolve(parseManifest(manifestBytes).config.digest),
  );
}

/** What the policy accepts. */
async function readManifest(
  reference: RegistryReference,
  options: ReadOptions,
): Promise<Uint8Array | undefined> {
  try {
    return await withSourceName(reference.text, async () => {
      const bytes = await readFittingManifest(reference, options);
      await assertAccepted(reference, bytes, options);
      return bytes;
    });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function readFittingManifest(
  reference: RegistryReference,
  options: ReadOptions,
): Promise<Uint8Array> {
  const bytes = await readManifestBytes(reference, options);
  const entry = findEntry(bytes, options.platform);
  if (entry === undefined) return bytes;
  return readManifestBytes(referToDigest(reference.repository, entry), options);
}
