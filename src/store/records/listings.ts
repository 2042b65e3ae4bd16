import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, digestBytes, digestHex } from "../../oci/oci.ts";
import { systemCode } from "../../system/errno.ts";
import { writeCacheFile } from "../layout/cache-file.ts";
import { cacheDirectory, type Store } from "../layout/paths.ts";

/** What was once read of a blob, as whoever read it wrote it; undefined where nobody keeps it any more. */
export async function findListing(store: Store, blob: Digest): Promise<Buffer | undefined> {
  try {
    const bytes = await readFile(listingPath(store, blob));
    const end = bytes.indexOf("\n");
    const body = bytes.subarray(end + 1);
    return bytes.toString("latin1", 0, Math.max(end, 0)) === digestBytes(body) ? body : undefined;
  } catch (error) {
    // What is wrong with the store, others say who need it.
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

/**
 * Keeps what was read of a blob for the next one who wants to know it. By the digest of the bytes that were read: a diff
 * ID is what an image says of them.
 */
export async function keepListing(store: Store, blob: Digest, body: Uint8Array): Promise<void> {
  const bytes = Buffer.concat([Buffer.from(`${digestBytes(body)}\n`), body]);
  await writeCacheFile(store, { path: listingPath(store, blob), bytes });
}

function listingPath(store: Store, blob: Digest): string {
  return join(cacheDirectory(store), `listing-${digestHex(blob)}`);
}
