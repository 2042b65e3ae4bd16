import pLimit from "p-limit";
import type { Digest } from "../oci/oci.ts";
import type { RegistryAccess } from "./access.ts";
import { explainFailure } from "./failures.ts";
import { fetchBlob, type BlobTarget } from "./fetch-blob.ts";
import { listTags } from "./list-tags.ts";
import { pushBlob, pushManifest, type BlobSource } from "./push.ts";
import { readBlob, readManifest } from "./read-documents.ts";
import { openRegistries, type Registries } from "./registries.ts";

/** A repository in full, `host[:port]/ns/repo`. */
type Repository = string;

/** A manifest on its way into a registry. */
export interface ManifestSource {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/**
 * What is read from registries and written to them, where it matters why something fails: each failure has a code
 * that an HTTP status or a system's code decides, and a message that says what was wanted. What fails for a passing
 * reason is tried again. Errors: `registry-*`, `copy-failed` for an answer that nobody expects. Where the
 * caller's signal stops it, it rejects with the signal's reason.
 */
export interface RegistryTransfers {
  /** What a tag or a digest stands for, byte for byte; undefined: the registry says that it has none (404). */
  readonly readManifest: (repository: Repository, reference: string) => Promise<Buffer | undefined>;
  /** A small blob, its digest not checked; undefined: the registry says that it has none. */
  readonly readBlob: (repository: Repository, digest: Digest) => Promise<Buffer | undefined>;
  /** None where the registry says that it has no such repository. */
  readonly listTags: (repository: Repository) => Promise<readonly string[]>;
  /** Brings a blob into a file, its digest checked. @returns whether the registry has it */
  readonly fetchBlob: (repository: Repository, target: BlobTarget) => Promise<boolean>;
  /** Sends a blob that the repository lacks. @returns whether it was sent */
  readonly pushBlob: (repository: Repository, source: BlobSource) => Promise<boolean>;
  /** Gives a tag to a manifest, whose blobs the repository has. */
  readonly pushManifest: (
    repository: Repository,
    reference: string,
    manifest: ManifestSource,
  ) => Promise<void>;
}

export type { BlobSource, BlobTarget };

const maxParallel = 6;

/** Does `action` with connections that end with it. Each method may be called any number of times at once. */
export async function withTransfers<T>(
  access: RegistryAccess,
  signal: AbortSignal | undefined,
  action: (transfers: RegistryTransfers) => Promise<T>,
): Promise<T> {
  const closing = new AbortController();
  const signals = [closing.signal, ...(signal === undefined ? [] : [signal])];
  const stop = { signal: AbortSignal.any(signals), isPersistent: true };
  try {
    return await action(createTransfers(openRegistries(access, stop), { access, signal }));
  } finally {
    closing.abort();
  }
}

/** Transfers that end with others. */
export function createTransfers(
  registries: Registries,
  { access, signal }: { readonly access: RegistryAccess; readonly signal: AbortSignal | undefined },
): RegistryTransfers {
  const limit = pLimit(maxParallel);
  const attempt = <T>(what: string, action: () => Promise<T>): Promise<T> =>
    limit(async () => {
      signal?.throwIfAborted();
      try {
        return await action();
      } catch (error) {
        signal?.throwIfAborted();
        throw explainFailure(what, error, access.env);
      }
    });
  return {
    readManifest: (name, reference) =>
      attempt(`read ${render(name, reference)}`, () => readManifest(registries, name, reference)),
    readBlob: (name, digest) =>
      attempt(`read ${render(name, digest)}`, () => readBlob(registries, name, digest)),
    listTags: (name) =>
      attempt(`list the tags of docker://${name}`, () => listTags(registries, name)),
    fetchBlob: (name, target) =>
      attempt(`fetch ${render(name, target.digest)}`, () => fetchBlob(registries, name, target)),
    pushBlob: (name, source) =>
      attempt(`push ${source.digest} to ${name}`, () => pushBlob(registries, name, source)),
    pushManifest: (name, reference, manifest) =>
      attempt(`push ${render(name, reference)}`, () =>
        pushManifest(registries, { name, reference }, manifest),
      ),
  };
}

function render(name: Repository, reference: string): string {
  return `docker://${name}${reference.startsWith("sha256:") ? "@" : ":"}${reference}`;
}
