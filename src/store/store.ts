import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { XbuildError } from "../errors.ts";
import type { Digest } from "../oci/model.ts";
import { ifPresent } from "./failures.ts";
import { blobPath, type Store } from "./paths.ts";

export interface StoreOptions {
  /** Told of documents that are not what their digest says; they then count as missing. Without it they are errors. */
  readonly onDamage?: (error: XbuildError) => void;
}

/**
 * The store in a directory, which need not exist: nothing is read or written here, the first write makes
 * it. Any number of processes may have it open.
 */
export function openStore(directory: string, options: StoreOptions = {}): Promise<Store> {
  return Promise.resolve({ directory: resolve(directory), onDamage: options.onDamage });
}

/** Whether the bytes of a blob are here; with a size in bytes: and are as many. */
export async function hasBlob(store: Store, digest: Digest, size?: number): Promise<boolean> {
  const status = await ifPresent(stat(blobPath(store, digest)));
  return status !== undefined && (size === undefined || status.size === size);
}
