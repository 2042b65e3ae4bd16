import { tolerate } from "../../system/errno.ts";
import { makePrivateDirectory } from "../../system/private-directory.ts";
import { isForeign } from "./access.ts";
import { type NewFile, writeAtomically } from "./files.ts";
import { cacheDirectory, temporaryDirectory, type Store } from "./paths.ts";

/** Writes what only saves time. What cannot be written, or lies in another user's store, is left. */
export async function writeCacheFile(store: Store, file: NewFile): Promise<void> {
  if (!isForeign(store)) await tolerate(write(store, file));
}

async function write(store: Store, file: NewFile): Promise<void> {
  // There may be no store yet.
  await makePrivateDirectory(cacheDirectory(store));
  await makePrivateDirectory(temporaryDirectory(store));
  await writeAtomically(store, file);
}
