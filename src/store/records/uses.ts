import { readdir, readFile, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { ifPresent, systemCode, tolerate } from "../../system/errno.ts";
import { isForeign } from "../layout/access.ts";
import { decodeOwnDocument, documentName, writeOwnDocument } from "../layout/documents.ts";
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
  const directory = join(store.directory, "uses");
  const files = ((await ifPresent(readdir(directory))) ?? []).filter((one) =>
    documentName.test(one),
  );
  const uses = await Promise.all(
    files.map(async (file): Promise<readonly (readonly [string, number])[]> => {
      const path = join(directory, file);
      const [bytes, status] = await Promise.all([ifPresent(readFile(path)), ifPresent(stat(path))]);
      const key = bytes && decodeOwnDocument(bytes)?.["key"];
      return typeof key === "string" && status !== undefined ? [[key, status.mtimeMs]] : [];
    }),
  );
  return new Map(uses.flat());
}

/** Forgets names that no storage has any more. Idempotent. */
export async function dropUses(store: Store, names: readonly string[]): Promise<void> {
  if (isForeign(store)) return;
  const paths = names.map((name) => documentPath(store, "uses", name));
  await Promise.all(paths.map((path) => tolerate(rm(path, { force: true }))));
}
