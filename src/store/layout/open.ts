import { resolve } from "node:path";
import { closeStore } from "./access.ts";
import type { Store } from "./paths.ts";

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
