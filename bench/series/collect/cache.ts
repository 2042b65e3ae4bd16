import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Where what registries gave is kept: only what never changes there, so it is never asked for twice. */
export const cacheDirectory = ".cache/bench/series";

/** What is remembered of that name (a path below the cache, of letters that files may have), if anything is. */
export async function recall<T>(name: string): Promise<T | undefined> {
  const text = await readFile(fileOf(name), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const known: T = JSON.parse(text);
  return known;
}

/** What `make` made once of that name, as JSON. */
export async function remember<T>(name: string, make: () => Promise<T>): Promise<T> {
  const known = await recall<T>(name);
  if (known !== undefined) return known;
  const made = await make();
  const file = fileOf(name);
  await mkdir(dirname(file), { recursive: true });
  // Beside its place first: what stands there is whole.
  await writeFile(`${file}.${process.pid}`, JSON.stringify(made));
  await rename(`${file}.${process.pid}`, file);
  return made;
}

function fileOf(name: string): string {
  return join(cacheDirectory, `${name}.json`);
}

/** Runs `task` for each, so many at once; the results are in the order of `items`. */
export async function mapSome<T, R>(
  items: readonly T[],
  atOnce: number,
  task: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const work = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await task(item);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}

/** The items of each name, in the order in which names and items come. */
export function groupBy<T>(
  items: readonly T[],
  name: (item: T) => string,
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(name(item));
    if (group === undefined) groups.set(name(item), [item]);
    else group.push(item);
  }
  return groups;
}

/** A short name of a text. */
export function hashText(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
