import { chmodSync, linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execute } from "./roots.ts";

// Small trees in which all that a path can be stands at few names, so that two of them differ in every way.

/** Numbers from 0 to below the limit, the same for the same seed. Numerical Recipes, "Quick and Dirty" generator. */
export type Random = (limit: number) => number;

export function createRandom(seed: number): Random {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

const names = ["a", "b", "-c", "é d"];

/** Fills an empty directory, with directories down to this depth. */
export function fillTree(directory: string, random: Random, depth = 3): void {
  fill(directory, depth, { random, files: [] });
}

/** Takes some of the names and makes something else of them. */
export function changeTree(directory: string, random: Random): void {
  for (const name of names) {
    if (random(3) > 0) continue;
    const path = join(directory, name);
    rmSync(path, { recursive: true, force: true });
    if (random(2) === 0) make(path, 2, { random, files: [] });
  }
}

interface Growth {
  readonly random: Random;
  /** What a hard link may be of. */
  readonly files: string[];
}

function fill(directory: string, depth: number, growth: Growth): void {
  for (const name of names) make(join(directory, name), depth, growth);
}

function make(path: string, depth: number, growth: Growth): void {
  const { random, files } = growth;
  const kind = random(12);
  if (kind < 4 && depth > 0) {
    mkdirSync(path);
    fill(path, depth - 1, growth);
    chmodSync(path, random(4) === 0 ? 0o1700 : 0o755);
  } else if (kind < 7) {
    writeFileSync(path, ["one", "two", ""][random(3)] ?? "");
    chmodSync(path, random(4) === 0 ? 0o600 : 0o644);
    files.push(path);
  } else if (kind === 7) symlinkSync(["a", "b"][random(2)] ?? "", path);
  else if (kind === 8 && files.length > 0) linkSync(files[random(files.length)] ?? "", path);
  else if (kind === 9) execute("mkfifo", ["--", path]);
}
