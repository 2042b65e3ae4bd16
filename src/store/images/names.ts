import { findBlob } from "../blobs/blobs.ts";
import { describeManifest, type Image } from "../../oci/oci.ts";
import { createNotFound, explainFailures } from "../layout/failures.ts";
import {
  dropNames,
  findNamedEntry,
  readIndex,
  setNames,
  writeIndex,
} from "../layout/index-file.ts";
import { ensureLayout } from "../layout/layout.ts";
import { lockStore } from "../layout/access.ts";
import type { Store } from "../layout/paths.ts";

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
      const { digest } = image;
      if ((await findBlob(store, { digest })) === undefined) throw createNotFound(store, digest);
      const { manifests } = await readIndex(store);
      await writeIndex(store, setNames(manifests, names, describeManifest(image)), lock);
    });
  });
}

/** Lets `name` stand for what `existing` stands for, all its platforms. Errors: `image-not-found`. */
export async function tagName(store: Store, existing: string, name: string): Promise<void> {
  await changeIndex(store, existing, (manifests) => {
    const entry = findNamedEntry(manifests, existing);
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
