import { stat } from "node:fs/promises";
import { XbuildError } from "../../errors.ts";
import { describeManifest, type Image } from "../../oci/oci.ts";
import { explainFailures } from "../layout/failures.ts";
import { ifPresent } from "../../system/errno.ts";
import { dropNames, nameOfEntry, readIndex, setNames, writeIndex } from "../layout/index-file.ts";
import { ensureLayout } from "../layout/layout.ts";
import { lockStore } from "../layout/access.ts";
import { blobPath, type Store } from "../layout/paths.ts";

/**
 * Lets these full names stand for an image that the store has. Idempotent.
 * Errors: `image-not-found` where a prune has removed it in the meantime, and those of writing.
 */
export async function tagImage(
  store: Store,
  image: Image,
  names: readonly string[],
): Promise<void> {
  await explainFailures(store.directory, async () => {
    await ensureLayout(store);
    await lockStore(store, async (lock) => {
      if ((await ifPresent(stat(blobPath(store, image.digest)))) === undefined) {
        throw createNotFound(store, image.digest);
      }
      const { manifests } = await readIndex(store);
      await writeIndex(store, setNames(manifests, names, describeManifest(image)), lock);
    });
  });
}

/** Lets `name` stand for what `existing` stands for, all its platforms. Errors: `image-not-found`. */
export async function tagName(store: Store, existing: string, name: string): Promise<void> {
  await changeIndex(store, existing, (manifests) => {
    const entry = manifests.findLast((item) => nameOfEntry(item) === existing);
    return entry === undefined ? undefined : setNames(manifests, [name], entry);
  });
}

/** Forgets a name; the blobs stay until a prune. Errors: `image-not-found`. */
export async function removeName(store: Store, name: string): Promise<void> {
  await changeIndex(store, name, (manifests) => {
    const rest = dropNames(manifests, [name]);
    return rest.length === manifests.length ? undefined : rest;
  });
}

type Entries = Parameters<typeof setNames>[0];

async function changeIndex(
  store: Store,
  name: string,
  change: (manifests: Entries) => Entries | undefined,
): Promise<void> {
  await explainFailures(store.directory, async () => {
    // Without a store there is no image, and nothing to lock.
    const { condition } = await readIndex(store);
    if (condition === "missing") throw createNotFound(store, name);
    await ensureLayout(store);
    await lockStore(store, async (lock) => {
      const changed = change((await readIndex(store)).manifests);
      if (changed === undefined) throw createNotFound(store, name);
      await writeIndex(store, changed, lock);
    });
  });
}

/** That an image is not in the store, or not any more. */
export function createNotFound(store: Store, name: string): XbuildError {
  return new XbuildError("image-not-found", `the store ${store.directory} has no image ${name}`, {
    hint: "run xbuild images to see the names that it has",
  });
}
