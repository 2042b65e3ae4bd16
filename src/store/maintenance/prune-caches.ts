import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { ifPresent } from "../../system/errno.ts";
import { cacheDirectory, type Store } from "../layout/paths.ts";
import { listStates } from "../records/state.ts";
import { listLiveRuns } from "../runs/liveness.ts";
import { measureTree, type Pointer } from "./usage.ts";

/** A document that goes, with the bytes of all that goes with it. */
export interface OldFile {
  readonly path: string;
  readonly size: number;
}

/** How much of what no name needs goes. */
export interface PruneLimits {
  /** Milliseconds since 1970: only what was last used before then. */
  readonly usedBefore?: number;
  /** Bytes: the longest unused, until the store is no larger. */
  readonly maxSize?: number;
  /** Unless an age or a size limits it: the last builds of stages, too, and all that only saves time. */
  readonly all?: boolean;
}

/** What is not used for a month will hardly be used again, and costs little to make anew. */
const cacheLife = 30 * 24 * 60 * 60 * 1000;

/** What only saves time and was last written before `usedBefore` (or a month ago); with `all` and no limit all of it. */
export async function listOldCaches(
  store: Store,
  { usedBefore, maxSize, all }: PruneLimits,
): Promise<readonly OldFile[]> {
  const directory = cacheDirectory(store);
  const names = (await ifPresent(readdir(directory))) ?? [];
  const isAll = all === true && usedBefore === undefined && maxSize === undefined;
  const limit = isAll ? Number.POSITIVE_INFINITY : (usedBefore ?? Date.now() - cacheLife);
  const files = names.map(async (name): Promise<readonly OldFile[]> => {
    const path = join(directory, name);
    const status = await ifPresent(stat(path));
    const isOld = status !== undefined && status.isFile() && status.mtimeMs < limit;
    return isOld ? [{ path, size: status.size }] : [];
  });
  return (await Promise.all(files)).flat();
}

/**
 * What builds left in `output/state` for the next ones of stages whose last build goes. None while a run may be reading
 * one: then it is the next prune's.
 */
export async function listOldStates(
  store: Store,
  lost: readonly Pointer[],
): Promise<readonly OldFile[]> {
  const gone = new Set(lost.flatMap(({ kind, key }) => (kind === "refs" ? [key] : [])));
  if (gone.size === 0 || (await listLiveRuns(store)).length > 0) return [];
  const states = await listStates(store);
  const old = states.filter(({ key }) => gone.has(key));
  // Several keys lead to one tree, which goes with the last of them.
  const told = new Set(states.flatMap(({ key, tree }) => (gone.has(key) ? [] : [tree])));
  const sizes = old.map(async ({ path, size, tree }) => {
    if (told.has(tree)) return { path, size };
    told.add(tree);
    return { path, size: size + (await measureTree(tree)) };
  });
  return Promise.all(sizes);
}

/** Their trees go when nobody may be reading them (`removeOldStates`). */
export async function removeFiles(files: readonly OldFile[]): Promise<void> {
  await Promise.all(files.map(({ path }) => rm(path, { force: true })));
}
