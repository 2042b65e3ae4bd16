import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, digestHex, isDigest } from "../../oci/oci.ts";
import { ifPresent } from "../../system/errno.ts";
import { writeCacheFile } from "../layout/cache-file.ts";
import { cacheDirectory, type Store } from "../layout/paths.ts";

/**
 * The ID of the image that an engine made of a stage, by a key of what the stage is made of; undefined where nobody knows.
 * Whether the engine still has it, it alone can say.
 */
export async function findStageImage(store: Store, key: Digest): Promise<Digest | undefined> {
  const text = await ifPresent(readFile(stagePath(store, key), "utf8"));
  return text !== undefined && isDigest(text) ? text : undefined;
}

/** Keeps it for the next build. What cannot be written is not kept. */
export async function keepStageImage(store: Store, key: Digest, id: Digest): Promise<void> {
  await writeCacheFile(store, { path: stagePath(store, key), bytes: Buffer.from(id) });
}

function stagePath(store: Store, key: Digest): string {
  return join(cacheDirectory(store), `stage-${digestHex(key)}`);
}
