import { rm } from "node:fs/promises";
import type { Digest } from "../../oci/oci.ts";
import { explainFailures } from "../layout/failures.ts";
import { syncDirectory } from "../../system/durable.ts";
import { dropNames, isCopyCurrent, readIndex, writeIndex } from "../layout/index-file.ts";
import { ensureLayout } from "../layout/layout.ts";
import type { Lock } from "../../system/lock.ts";
import { lockStore } from "../layout/access.ts";
import { blobPath, blobsDirectory, documentPath, type Store } from "../layout/paths.ts";
import { removeOldCaches } from "./prune-caches.ts";
import { planPrune, type PruneOptions, type PrunePlan, type PruneResult } from "./prune-plan.ts";
import { removeOldStates } from "../records/state.ts";
import type { BlobFile } from "./usage.ts";

/**
 * Removes what nothing needs: names by their pattern; then images that no name and no running build needs,
 * all of them or those that `usedBefore` and `maxSize` say, with their records; then every blob of none of
 * the images that stay. Builds may run meanwhile: what one of them holds, or has not committed yet, stays.
 * Errors: `store-damaged` where it cannot be known what a tag needs; those of writing.
 */
export async function pruneStore(store: Store, options: PruneOptions): Promise<PruneResult> {
  return explainFailures(store.directory, async () => {
    if ((await readIndex(store)).condition === "missing") {
      return { names: [], blobs: [], freed: 0, kept: 0 };
    }
    await ensureLayout(store);
    return lockStore(store, async (lock) => {
      const plan = await planPrune(store, options);
      if (options.dryRun === true) return plan.result;
      await carryOut(store, plan, lock);
      await removeOldCaches(store, options.usedBefore);
      return plan.result;
    });
  });
}

/** Names first, then manifests: killed at any instant, it leaves no image without its layers. */
async function carryOut(store: Store, plan: PrunePlan, lock: Lock): Promise<void> {
  const { names, blobs } = plan.result;
  // A copy that a killed commit left ahead of the index may name an image that goes now.
  if (names.length > 0 || !(await isCopyCurrent(store))) {
    const { manifests } = await readIndex(store);
    await writeIndex(store, dropNames(manifests, names), lock);
  }
  const manifests = new Set(plan.pointers.map((pointer) => pointer.manifest));
  await Promise.all(plan.pointers.map(({ path }) => rm(path, { force: true })));
  await removeBlobs(
    store,
    blobs.filter((blob) => manifests.has(blob.digest)),
  );
  await removeBlobs(
    store,
    blobs.filter((blob) => !manifests.has(blob.digest)),
  );
  await removeLocations(store, new Set(blobs.map((blob) => blob.digest)));
  await removeOldStates(store, undefined, lock);
}

/** Of images that went: nobody asks any more where their layers are. */
async function removeLocations(store: Store, gone: ReadonlySet<Digest>): Promise<void> {
  const paths = [...gone].map((digest) => documentPath(store, "locations", digest));
  await Promise.all(paths.map((path) => rm(path, { force: true })));
}

async function removeBlobs(store: Store, blobs: readonly BlobFile[]): Promise<void> {
  if (blobs.length === 0) return;
  await Promise.all(blobs.map(({ digest }) => rm(blobPath(store, digest), { force: true })));
  await syncDirectory(blobsDirectory(store));
}
