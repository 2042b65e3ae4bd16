import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { ifPresent } from "../../system/errno.ts";
import { cacheDirectory, type Store } from "../layout/paths.ts";

/** What is not used for a month will hardly be used again, and costs little to make anew. */
const cacheLife = 30 * 24 * 60 * 60 * 1000;

/** Removes what only saves time and was last written before `usedBefore` (or a month ago). */
export async function removeOldCaches(store: Store, usedBefore?: number): Promise<void> {
  const directory = cacheDirectory(store);
  const names = (await ifPresent(readdir(directory))) ?? [];
  const limit = usedBefore ?? Date.now() - cacheLife;
  await Promise.all(
    names.map(async (name) => {
      const path = join(directory, name);
      const status = await ifPresent(stat(path));
      if (status !== undefined && status.mtimeMs < limit) await rm(path, { force: true });
    }),
  );
}
