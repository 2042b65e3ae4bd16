import { join } from "node:path";
import type { ImageReference } from "../copy/copy.ts";
import { XbuildError } from "../errors.ts";
import type { PreviousImage } from "../layers/layers.ts";
import { type Digest, isLocalName } from "../oci/oci.ts";
import { findImage, readImage } from "../store/store.ts";
import { type ReadImage, readReference } from "./read-reference.ts";
import type { ReuseRequest } from "./request.ts";
import { describeStored } from "./stored-previous.ts";
import type { BuildRunWorkspace } from "./workspace.ts";

/** A previous image that a reference names. */
export interface NamedPrevious {
  readonly reference: ImageReference;
  readonly origin: "named" | "pushed";
  readonly isDestination: boolean;
}

export interface ReadOptions {
  readonly reuse: ReuseRequest;
  /** Of the reference among the others. */
  readonly index: number;
}

/**
 * What a reference names: of a registry's image manifest and config, of one on this machine all. undefined where there is
 * none. Errors: `registry-*`, `image-*`, `copy-failed` and others, each naming the reference.
 */
export async function readNamed(
  named: NamedPrevious,
  options: ReadOptions,
  work: BuildRunWorkspace,
): Promise<PreviousImage | undefined> {
  const { reference, origin, isDestination } = named;
  const isLocal = isLocalName(reference.name);
  const stored = isLocal ? await findStored(reference, options, work) : undefined;
  if (stored !== undefined) return stored;
  const read = isLocal ? readLocalRegistry : readRemote;
  const remote = await read(reference, options, work);
  const trusted = options.reuse.trust !== "none";
  return remote && { ...remote, origin, isDestination, trusted, withheld: new Set() };
}

async function findStored(
  reference: ImageReference,
  { reuse: { platform } }: ReadOptions,
  work: BuildRunWorkspace,
): Promise<PreviousImage | undefined> {
  const { name, digest } = reference;
  const image =
    digest === undefined
      ? await findImage(work.store, name, platform)
      : await readImage(work.store, digest);
  if (image === undefined) return undefined;
  const [stored] = await describeStored({ name, image, origin: "named" }, work);
  return stored && { ...stored, reference: nameWithDigest(reference, image.digest) };
}

type RemoteImage = ReadImage & Pick<PreviousImage, "reference">;

/** Mostly there is none on this machine: the name is one of the store then, and not there yet. */
async function readLocalRegistry(
  reference: ImageReference,
  options: ReadOptions,
  work: BuildRunWorkspace,
): Promise<RemoteImage | undefined> {
  const registries = { ...work.registries, retries: 0 };
  try {
    // The answers of others wait longer.
    return await readRemote(reference, options, { ...work, registries, answers: undefined });
  } catch (error) {
    if (!(error instanceof XbuildError) || error.code !== "registry-unavailable") throw error;
    work.signal.throwIfAborted();
    return undefined;
  }
}

async function readRemote(
  reference: ImageReference,
  { reuse: { platform }, index }: ReadOptions,
  work: BuildRunWorkspace,
): Promise<RemoteImage | undefined> {
  const scratch = join(work.run.directory, `previous-${index}`);
  const read = await readReference(reference, { platform, scratch }, work);
  return read && { ...read, reference: nameWithDigest(reference, read.image.digest) };
}

function nameWithDigest({ name, digest }: ImageReference, actual: Digest): string {
  return digest === undefined ? `${name}@${actual}` : name;
}
