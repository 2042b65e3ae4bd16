import { XbuildError } from "../errors.ts";
import {
  type Annotations,
  type Digest,
  digestBytes,
  type Image,
  parseConfig,
  parseImage,
  parseIndex,
  parseManifest,
  platformOf,
  type WantedPlatform,
} from "../oci/oci.ts";
import {
  createRegistryError,
  type RegistrySession,
  type RegistryTransfers,
  withTransfers,
} from "../registry/registry.ts";
import { assertAccepted, type JudgeOptions } from "./judge.ts";
import {
  assertDocument,
  findEntry,
  listPlatforms,
  type ReadPart,
  withSourceName,
} from "./manifests.ts";
import { referToDigest, type RegistryReference } from "./reference.ts";

interface ReadOptions extends JudgeOptions {
  /** Connections, and what they have brought already. */
  readonly session?: RegistrySession | undefined;
  /** An image that is here already, by its digest: of that one the manifest alone is read. */
  readonly findImage?: (digest: Digest) => Promise<Image | undefined>;
  /** Of a manifest list, the entry that is meant. */
  readonly platform: WantedPlatform;
}

/**
 * The image of a reference into a registry, or undefined where the registry says that there is none (404): its manifest
 * and config, and no layer. Of a manifest list (image index) it is the platform's entry. It is one that the policy in
 * force accepts. Errors: `registry-*`, `policy-rejected`, `image-invalid`, `image-unsupported`, each naming the reference.
 */
export async function readRemoteImage(
  reference: RegistryReference,
  options: ReadOptions,
): Promise<Image | undefined> {
  return readAgain(reference, options, async (transfers) => {
    const manifestBytes = await readManifest(reference, transfers, options);
    if (manifestBytes === undefined) return undefined;
    const here = await options.findImage?.(digestBytes(manifestBytes));
    if (here !== undefined) return here;
    const { config } = parseManifest(manifestBytes);
    const configBytes = await transfers.readBlob(reference.repository, config.digest);
    if (configBytes === undefined) throw lacksConfig(reference);
    return parseImage(manifestBytes, configBytes);
  });
}

/** The ID that an engine would give the image: its config's digest. Errors: as `readRemoteImage`. */
export async function readRemoteId(
  reference: RegistryReference,
  options: ReadOptions,
): Promise<Digest | undefined> {
  return readAgain(reference, options, async (transfers) => {
    const manifestBytes = await readManifest(reference, transfers, options);
    return manifestBytes && parseManifest(manifestBytes).config.digest;
  });
}

/** A byte of what comes by a tag may be wrong, and nothing shows it but what the document says: it is read again. */
async function readAgain<T>(
  { text, repository }: RegistryReference,
  { access, signal, session }: Pick<ReadOptions, "access" | "signal" | "session">,
  read: (transfers: RegistryTransfers) => Promise<T>,
): Promise<T> {
  const readPatiently = async (transfers: RegistryTransfers): Promise<T> => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await withSourceName(text, () => read(transfers));
      } catch (error) {
        const isDamaged =
          error instanceof XbuildError && /^(?:image-|registry-corrupt$)/.test(error.code);
        if (!isDamaged || attempt >= access.retries) throw error;
        session?.forgetManifests(repository);
      }
    }
  };
  return session === undefined
    ? withTransfers(access, signal, readPatiently)
    : readPatiently(session.openTransfers());
}

/** What the policy accepts. */
async function readManifest(
  reference: RegistryReference,
  transfers: RegistryTransfers,
  options: ReadOptions,
): Promise<Uint8Array | undefined> {
  const bytes = await readDocument(reference, transfers);
  if (bytes === undefined) return undefined;
  const read = createReader(reference, transfers);
  const entry = await findEntry(bytes, options.platform, read);
  const fitting = entry === undefined ? bytes : await read(entry, "manifest");
  await assertAccepted(reference, fitting, options);
  return fitting;
}

async function readDocument(
  { repository, reference, digest }: RegistryReference,
  transfers: RegistryTransfers,
): Promise<Uint8Array | undefined> {
  const bytes = await transfers.readManifest(repository, reference);
  if (bytes !== undefined) assertDocument(bytes, digest);
  return bytes;
}

/** Reads what an index names: a registry that has the one has the others. */
function createReader(
  { text, repository }: RegistryReference,
  transfers: RegistryTransfers,
): ReadPart {
  return async (digest, what) => {
    const bytes =
      what === "manifest"
        ? await readDocument(referToDigest(repository, digest), transfers)
        : await transfers.readBlob(repository, digest);
    if (bytes === undefined) {
      const reason = `${text}: the registry does not have ${digest}, which its own index names`;
      throw createRegistryError("corrupt", reason);
    }
    assertDocument(bytes, digest);
    return bytes;
  };
}

/** What a manifest list in a registry says of its images. */
export interface RemoteIndex {
  readonly digest: Digest;
  readonly annotations: Annotations;
  readonly platforms: readonly WantedPlatform[];
}

/**
 * The manifest list of a reference into a registry: its digest, and what its images are for; undefined where the
 * reference names one image, or nothing. Errors: as `readRemoteImage`.
 */
export async function readRemoteIndex(
  reference: RegistryReference,
  options: Pick<ReadOptions, "access" | "signal" | "session">,
): Promise<RemoteIndex | undefined> {
  return readAgain(reference, options, async (transfers) => {
    const bytes = await readDocument(reference, transfers);
    if (bytes === undefined) return undefined;
    const platforms = await listPlatforms(bytes, createReader(reference, transfers));
    if (platforms === undefined) return undefined;
    const { annotations = {} } = parseIndex(bytes);
    return { digest: digestBytes(bytes), annotations, platforms };
  });
}

/**
 * The platforms that a reference into a registry offers: of a manifest list those of its images, else that of the one
 * image. undefined where the registry says that there is none. Errors: as `readRemoteImage`.
 */
export async function readRemotePlatforms(
  reference: RegistryReference,
  options: Pick<ReadOptions, "access" | "signal">,
): Promise<readonly WantedPlatform[] | undefined> {
  return readAgain(reference, options, async (transfers) => {
    const bytes = await readDocument(reference, transfers);
    if (bytes === undefined) return undefined;
    const read = createReader(reference, transfers);
    const listed = await listPlatforms(bytes, read);
    if (listed !== undefined) return listed;
    const config = await read(parseManifest(bytes).config.digest, "config");
    return [platformOf({ config: parseConfig(config) })];
  });
}

function lacksConfig({ text }: RegistryReference): XbuildError {
  const reason = `${text}: the registry does not have the config that its own manifest names`;
  return createRegistryError("corrupt", reason);
}

/** Whether a tag stands for this very manifest already. Where that cannot be found out: no. */
export async function isPushed(
  { repository, reference }: RegistryReference,
  digest: Digest,
  transfers: RegistryTransfers,
): Promise<boolean> {
  try {
    const bytes = await transfers.readManifest(repository, reference);
    return bytes !== undefined && digestBytes(bytes) === digest;
  } catch (error) {
    if (error instanceof XbuildError) return false;
    throw error;
  }
}
