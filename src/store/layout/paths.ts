import type { WaitListener } from "../../system/lock.ts";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { digestHex } from "../../oci/oci.ts";
import type { Digest } from "../../oci/oci.ts";
import type { XbuildError } from "../../errors.ts";

/** A store is its directory: an OCI layout, and beside it what is xbuild's own. */
export interface Store {
  readonly directory: string;
  /**
   * What to do about a document that is not what its digest says: called with the error where it is
   * given, and the document then counts as missing; else the error is thrown.
   */
  readonly onDamage: ((error: XbuildError) => void) | undefined;
  /** Told when a run's directory is removed; what it gives is called when that is done. */
  readonly onCleanUp?: (() => (() => void) | undefined) | undefined;
  /** Told what of a run could not be removed, and why: the next cleaner tries again. */
  readonly onLeftover?: ((directory: string, reason: string) => void) | undefined;
  /** Told what is waited for, where another process holds the store's lock for long. */
  readonly onWait?: WaitListener | undefined;
  /** Ends the waiting for the lock, and long removals. */
  readonly signal?: AbortSignal | undefined;
}

/** The file of a blob, whether it is there or not. image-spec v1.1, image-layout.md, "Blobs". */
export function blobPath(store: Store, digest: Digest): string {
  return join(blobsDirectory(store), digestHex(digest));
}

export function blobsDirectory(store: Store): string {
  return join(store.directory, "blobs", "sha256");
}

/** What is unfinished: runs, and files on their way to another place. */
export function temporaryDirectory(store: Store): string {
  return join(store.directory, "tmp");
}

export function lockPath(store: Store): string {
  return join(store.directory, "lock");
}

export function indexPath(store: Store): string {
  return join(store.directory, "index.json");
}

/** A second copy of the index, written before it. */
export function indexCopyPath(store: Store): string {
  return join(store.directory, "refs", "index.json");
}

/** What only saves time: any of it may be removed at any moment. */
export function cacheDirectory(store: Store): string {
  return join(store.directory, "cache");
}

/** Its time is when builds last tidied up. */
export function tidiedPath(store: Store): string {
  return join(cacheDirectory(store), "tidied");
}

/** Where the digests of a build context's files may be remembered, by the context's own path. */
export function contextCachePath(store: Store, context: string): string {
  return join(cacheDirectory(store), `stat-${hashKey(context)}`);
}

/** Each kind of xbuild's own documents has a directory of its own. */
export const ownDocumentKinds = ["records", "refs", "state", "locations", "uses"] as const;
export type OwnDocumentKind = (typeof ownDocumentKinds)[number];

/** A private document: any text may be a key. */
export function documentPath(store: Store, kind: OwnDocumentKind, key: string): string {
  return join(store.directory, kind, `${hashKey(key)}.json`);
}

/** A file name for any text. */
export function hashKey(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}
