import { rm, utimes } from "node:fs/promises";
import { systemCode, tolerate } from "../../system/errno.ts";
import { isForeign } from "../layout/access.ts";
import { listOwnDocuments, writeOwnDocument } from "../layout/documents.ts";
import { ensureLayout } from "../layout/layout.ts";
import { documentPath, type Store } from "../layout/paths.ts";

/**
 * Writes down that a build of this store uses an image of an engine's storage now, by the name that keeps it there: the
 * engine does not know when that was last. What cannot be written is not known then.
 */
export async function markUse(store: Store, name: string): Promise<void> {
  if (!isForeign(store)) await tolerate(touch(store, name));
}

async function touch(store: Store, name: string): Promise<void> {
  const now = new Date();
  try {
    await utimes(documentPath(store, "uses", name), now, now);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
    await ensureLayout(store);
    await writeOwnDocument(store, "uses", { key: name });
  }
}

/** When builds of this store last used such images, in milliseconds since 1970, by their names. */
export async function listUses(store: Store): Promise<ReadonlyMap<string, number>> {
  const uses = await listOwnDocuments(store, "uses");
  return new Map(uses.map(({ key, usedAt }) => [key, usedAt]));
}

/** Forgets names that no storage has any more. Idempotent. */
export async function dropUses(store: Store, names: readonly string[]): Promise<void> {
  if (isForeign(store)) return;
  const paths = names.map((name) => documentPath(store, "uses", name));
  await Promise.all(paths.map((path) => tolerate(rm(path, { force: true }))));
}
