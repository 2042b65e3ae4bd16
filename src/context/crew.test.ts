import { execFile } from "node:child_process";
import { lstatSync } from "node:fs";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test, vi } from "vitest";
import { withTemporaryDirectory } from "../../test/support/images.ts";
import { readContents } from "./content.ts";
import { type Crew, startCrew } from "./crew.ts";
import { type Entry, toEntry } from "./entry.ts";
import type { Helpers } from "./helpers.ts";
import { encodePath } from "./names.ts";
import { createStatQueue } from "./stat-queue.ts";

const run = promisify(execFile);
const alone: Helpers = { count: async () => undefined, crew: () => undefined, close: () => {} };

/** Some thousand files, and between them all that is none, odd or gone. */
async function makeTree(root: string): Promise<readonly string[]> {
  await mkdir(root);
  const paths = Array.from({ length: 3000 }, (_, at) => `file-${String(at).padStart(5, "0")}`);
  for (const path of paths) await writeFile(join(root, path), path);
  const odd = "odd-\uDCE9";
  await writeFile(encodePath(`${root}/${odd}`), "odd");
  await symlink("nowhere", join(root, "link"));
  await run("mkfifo", [join(root, "fifo")]);
  await mkdir(join(root, "directory"));
  return [...paths, "gone", odd, "link", "fifo", "directory"];
}

async function withCrew(action: (helpers: Helpers, crew: Crew) => Promise<void>): Promise<void> {
  const crew = startCrew();
  // A machine with one core has none.
  if (crew === undefined) return;
  try {
    await vi.waitFor(() => expect(crew.size()).toBeGreaterThan(0), 10_000);
    await action({ ...alone, count: async () => crew, crew: () => crew }, crew);
  } finally {
    crew.close();
  }
}

test("threads see and read what one alone does, in the same order", () =>
  withTemporaryDirectory(async (temporary) => {
    const root = join(temporary, "root");
    const paths = await makeTree(root);
    const there = paths.filter((path) => path !== "gone");
    const expected = there.map((path) => toEntry(path, lstatSync(encodePath(`${root}/${path}`))));
    const contents = await readContents(root, expected, { helpers: alone });
    await withCrew(async (helpers, crew) => {
      const [stat, hash] = [vi.spyOn(crew, "stat"), vi.spyOn(crew, "hash")];
      const found: Entry[] = [];
      const take = (entry: Entry): undefined => void found.push(entry);
      const queue = createStatQueue({ root, helpers, take });
      for (const path of paths) await queue.add(path);
      await queue.finish();
      expect(found).toEqual(expected);
      expect(await readContents(root, expected, { helpers })).toEqual(contents);
      expect(stat).toHaveBeenCalled();
      expect(hash).toHaveBeenCalled();
    });
  }));

test("what changed or went since it was found is told as one alone tells it", () =>
  withTemporaryDirectory(async (temporary) => {
    const root = join(temporary, "root");
    const paths = (await makeTree(root)).slice(0, 1000);
    const entries = paths.map((path) => toEntry(path, lstatSync(join(root, path))));
    for (const [at, path] of paths.entries()) {
      if (at % 3 === 0) await rm(join(root, path));
      if (at % 3 === 1) await writeFile(join(root, path), "another");
    }
    const contents = await readContents(root, entries, { helpers: alone });
    expect(contents.map(({ isStable }) => isStable)).toEqual(paths.map((_, at) => at % 3 === 2));
    await withCrew(async (helpers) => {
      expect(await readContents(root, entries, { helpers })).toEqual(contents);
    });
  }));

test("where a thread dies, the work is done all the same", () =>
  withTemporaryDirectory(async (temporary) => {
    const root = join(temporary, "root");
    const paths = (await makeTree(root)).slice(0, 3000);
    await withCrew(async (helpers, crew) => {
      crew.close();
      const found: string[] = [];
      const take = (entry: Entry): undefined => void found.push(entry.path);
      const queue = createStatQueue({ root, helpers, take });
      for (const path of paths) await queue.add(path);
      await queue.finish();
      expect(found).toEqual(paths);
    });
  }));
