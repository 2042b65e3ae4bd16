import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, digestHex, isDigest } from "../../oci/oci.ts";
import { ifPresent } from "../../system/errno.ts";
import { writeCacheFile } from "../layout/cache-file.ts";
import { cacheDirectory, type Store } from "../layout/paths.ts";

/**
 * What a digest of inputs is known to come to: of a stage (the ID of the image that an engine made of it, which it may
 * have no more), or of a tree (the diff ID of its layer).
 */
export type KnownKind = "stage" | "tree";

/** undefined where nobody knows. */
export async function findKnown(
  store: Store,
  kind: KnownKind,
  key: Digest,
): Promise<Digest | undefined> {
  const text = await ifPresent(readFile(knownPath(store, kind, key), "utf8"));
  return text !== undefined && isDigest(text) ? text : undefined;
}

/** What was found, for the next build. */
export interface KnownDigest {
  readonly key: Digest;
  readonly value: Digest;
}

/** What cannot be written is not kept. */
export async function keepKnown(
  store: Store,
  kind: KnownKind,
  { key, value }: KnownDigest,
): Promise<void> {
  await writeCacheFile(store, { path: knownPath(store, kind, key), bytes: Buffer.from(value) });
}

function knownPath(store: Store, kind: KnownKind, key: Digest): string {
  return join(cacheDirectory(store), `${kind}-${digestHex(key)}`);
}
