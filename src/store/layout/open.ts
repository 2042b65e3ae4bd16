import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Digest } from "../../oci/oci.ts";
import { ifPresent } from "../../system/errno.ts";
import { closeStore } from "./access.ts";
import { blobPath, type Store } from "./paths.ts";

/** What a store tells of, and what ends its waiting; see `Store`. Without `onDamage`, damage is an error. */
export type StoreOptions = Partial<Omit<Store, "directory">>;

/**
 * The store in a directory, which need not exist: nothing is written here, the first write makes it. One that is
 * there is closed to other users, which those of older versions were not. Any number of processes may have it
 * open.
 */
export async function openStore(directory: string, options: StoreOptions = {}): Promise<Store> {
  const store: Store = { onDamage: undefined, ...options, directory: resolve(directory) };
  await closeStore(store);
  return store;
}

/** Whether the bytes of a blob are here; with a size in bytes: and are as many. */
export async function hasBlob(store: Store, digest: Digest, size?: number): Promise<boolean> {
  const status = await ifPresent(stat(blobPath(store, digest)));
  return status !== undefined && (size === undefined || status.size === size);
}
