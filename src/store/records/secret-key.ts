import { createHmac, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ifPresent } from "../../system/errno.ts";
import { explainFailures } from "../layout/failures.ts";
import { createAtomically } from "../layout/files.ts";
import { ensureLayout } from "../layout/layout.ts";
import type { Store } from "../layout/paths.ts";

/** Bytes. */
const keySize = 32;

/** A text as this store alone can tell it from another one. */
export type KeyedHash = (text: string) => string;

/**
 * Hashes under a key that is this store's alone (HMAC, RFC 2104), made when it is first asked for: whoever reads a
 * record cannot try out which short text it is of.
 */
export async function openKeyedHash(store: Store): Promise<KeyedHash> {
  const key = await explainFailures(store.directory, () => readKey(store));
  return (text) => `hmac-sha256:${createHmac("sha256", key).update(text).digest("hex")}`;
}

async function readKey(store: Store): Promise<Buffer> {
  const path = join(store.directory, "key");
  const known = await ifPresent(readFile(path));
  if (known?.length === keySize) return known;
  await ensureLayout(store);
  await createAtomically(store, { path, bytes: randomBytes(keySize), mode: 0o600 });
  // Another process may have been first.
  return readFile(path);
}
