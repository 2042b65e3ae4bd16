import { describeIndex, type ImageIndex } from "../../oci/oci.ts";
import { syncDirectory } from "../../system/durable.ts";
import { findBlob } from "../blobs/blobs.ts";
import { placeBlobs } from "../blobs/place-blobs.ts";
import { writeBlob } from "../blobs/write-blob.ts";
import { lockStore } from "../layout/access.ts";
import { createNotFound, explainFailures } from "../layout/failures.ts";
import { findNamedEntry, readIndex, setNames, writeIndex } from "../layout/index-file.ts";
import { blobsDirectory, type Store } from "../layout/paths.ts";
import { writeHold } from "../runs/run-directory.ts";
import type { Run } from "../runs/runs.ts";

export interface IndexCommit {
  /** The store has its images already (`commitImage`), and the run holds them. */
  readonly index: ImageIndex;
  /** Full names that shall stand for it. */
  readonly names: readonly string[];
}

/**
 * Takes an index into the store and lets names stand for it; where they do already, nothing is written. Killed at any
 * instant, it leaves every name on a whole index or image: its old one or the new one. The run holds the index.
 * Errors: `image-not-found` where a prune has taken an image of it; `store-full`, `store-not-writable`, `store-lock`.
 */
export async function commitIndex(run: Run, { index, names }: IndexCommit): Promise<void> {
  const { store } = run;
  await explainFailures(store.directory, async () => {
    if (await isNamed(store, { index, names })) return;
    const blob = await writeBlob(run.staging, index.bytes);
    await lockStore(store, async (lock) => {
      for (const { digest } of index.images) {
        if ((await findBlob(store, { digest })) === undefined) throw createNotFound(store, digest);
      }
      await placeBlobs(store, [blob], lock);
      await syncDirectory(blobsDirectory(store));
      await writeHold(run.directory, index.digest);
      const { manifests } = await readIndex(store);
      await writeIndex(store, setNames(manifests, names, describeIndex(index)), lock);
    });
  });
}

/** Also where there are no names: nothing would lead to the index. */
async function isNamed(store: Store, { index, names }: IndexCommit): Promise<boolean> {
  const { digest, bytes } = index;
  if (names.length === 0) return true;
  if ((await findBlob(store, { digest, size: bytes.byteLength })) === undefined) return false;
  const { manifests, condition } = await readIndex(store);
  const named = names.every((name) => findNamedEntry(manifests, name)?.digest === digest);
  return named && condition === "whole";
}
