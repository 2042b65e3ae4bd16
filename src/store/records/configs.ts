import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, digestBytes, digestHex } from "../../oci/oci.ts";
import { systemCode } from "../../system/errno.ts";
import { writeCacheFile } from "../layout/cache-file.ts";
import { cacheDirectory, type Store } from "../layout/paths.ts";

/** The config of an image of elsewhere, by its digest, which is the image's ID; undefined where nobody kept it. */
export async function findConfig(store: Store, id: Digest): Promise<Uint8Array | undefined> {
  try {
    const bytes = await readFile(configPath(store, id));
    return digestBytes(bytes) === id ? bytes : undefined;
  } catch (error) {
    // What is wrong with the store, others say who need it.
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

/**
 * Keeps it for the next build: whoever has nothing to do asks no engine for it. What cannot be written is not kept.
 */
export async function keepConfig(store: Store, id: Digest, bytes: Uint8Array): Promise<void> {
  if (digestBytes(bytes) === id)
    await writeCacheFile(store, { path: configPath(store, id), bytes });
}

function configPath(store: Store, id: Digest): string {
  return join(cacheDirectory(store), `config-${digestHex(id)}`);
}
