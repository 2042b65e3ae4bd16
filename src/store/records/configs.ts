import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { type Digest, digestBytes, digestHex } from "../../oci/oci.ts";
import { ifPresent, systemCode } from "../../system/errno.ts";
import { cacheDirectory, type Store } from "../layout/paths.ts";

/** The config of an image of elsewhere, by its digest, which is the image's ID; undefined where nobody kept it. */
export async function findConfig(store: Store, id: Digest): Promise<Uint8Array | undefined> {
  const bytes = await ifPresent(readFile(configPath(store, id)));
  return bytes !== undefined && digestBytes(bytes) === id ? bytes : undefined;
}

/** Keeps it for the next build: whoever has nothing to do asks no engine for it. What cannot be written is not kept. */
export async function keepConfig(store: Store, id: Digest, bytes: Uint8Array): Promise<void> {
  if (digestBytes(bytes) !== id) return;
  const path = configPath(store, id);
  const temporary = `${path}.${randomUUID()}`;
  try {
    await mkdir(cacheDirectory(store), { recursive: true, mode: 0o700 });
    await writeFile(temporary, bytes, { flag: "wx", mode: 0o600 });
    await rename(temporary, path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    await rm(temporary, { force: true });
  }
}

function configPath(store: Store, id: Digest): string {
  return join(cacheDirectory(store), `config-${digestHex(id)}`);
}
