import { copyFile, rename } from "node:fs/promises";
import { join, sep } from "node:path";
import { digestHex } from "../../oci/oci.ts";
import type { Digest } from "../../oci/oci.ts";
import { settleFile } from "../../system/durable.ts";
import type { Lock } from "../../system/lock.ts";
import { blobMode, forEachOf } from "../layout/files.ts";
import { blobPath, type Store } from "../layout/paths.ts";
import type { Run } from "../runs/runs.ts";
import type { StagedBlob } from "./write-blob.ts";

/** A blob in a file that somebody else wrote (skopeo), and whose digest was checked. */
export interface ForeignBlob {
  readonly digest: Digest;
  /** A file that nothing has open for writing. */
  readonly path: string;
}

/**
 * Takes over such a file and makes it durable: the file itself where it is in the store's `tmp/`, else a copy, for it
 * may be on another file system. Errors: those of copyFile and fsync(2).
 */
export async function takeBlob(
  { store, staging }: Pick<Run, "store" | "staging">,
  { digest, path }: ForeignBlob,
): Promise<StagedBlob> {
  const isOurs = path.startsWith(store.directory + sep);
  const near = isOurs ? path : join(staging, `taken-${digestHex(digest)}`);
  if (!isOurs) await copyFile(path, near);
  return { digest, path: near, size: await settleFile(near, blobMode) };
}

/** Puts blobs in their places; durable once the directory is synchronised. Needs the store's lock. */
export async function placeBlobs(
  store: Store,
  blobs: Iterable<StagedBlob>,
  _lock: Lock,
): Promise<void> {
  await forEachOf(blobs, ({ path, digest }) => rename(path, blobPath(store, digest)));
}
