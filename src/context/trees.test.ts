import {
  chmodSync,
  lutimesSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { withTemporaryDirectory } from "../../test/support/images.ts";
import { hashContext } from "./hash.ts";
import { markTrees } from "./trees.ts";

type Marks = ReadonlyMap<string, string>;

/** Marks by the paths of the directories. @param later milliseconds from now on at which the look is made */
async function mark(root: string, later = 60_000, isWhole = true): Promise<Marks> {
  vi.spyOn(Date, "now").mockReturnValue(new Date().getTime() + later);
  try {
    const walk = { ignore: () => false, hasExceptions: false, rules: "", withRoot: true };
    const { snapshot } = await hashContext(root, { ...walk, withOwners: true });
    const trees = markTrees(root, { snapshot, isWhole });
    const paths = directories.filter((path) =>
      trees.some(({ dev, ino }) => isThere(join(root, path), dev, ino)),
    );
    return new Map(
      paths.map((path) => {
        const found = trees.filter(({ dev, ino }) => isThere(join(root, path), dev, ino));
        expect(found).toHaveLength(1);
        return [path, found[0]?.mark ?? ""];
      }),
    );
  } finally {
    vi.restoreAllMocks();
  }
}

function isThere(path: string, dev: number, ino: number): boolean {
  const status = statSync(path, { throwIfNoEntry: false });
  return status?.dev === dev && status.ino === ino;
}

const directories = ["", "a", "a/b", "a-b", "c", "c/d"];

async function withTree(action: (root: string) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (root) => {
    for (const path of ["a/1", "a/b/2", "a-b/3", "c/d/4"]) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), path);
    }
    symlinkSync("1", join(root, "a/link"));
    await action(root);
  });
}

const then = new Date(1_700_000_000_000);

/** Which directories are another tree by now. */
async function findOthers(root: string, before: Marks): Promise<readonly string[]> {
  const now = await mark(root);
  return directories.filter((path) => now.get(path) !== before.get(path));
}

describe("marks of directories", () => {
  it("stay while nothing changes, and differ from each other", () =>
    withTree(async (root) => {
      const first = await mark(root);
      expect([...first.keys()]).toEqual(directories);
      expect(new Set(first.values()).size).toBe(directories.length);
      expect(await mark(root)).toEqual(first);
    }));

  it.each<readonly [what: string, change: (root: string) => void, others: readonly string[]]>([
    ["a content", (root) => writeFileSync(join(root, "a/b/2"), "A/b/2"), ["", "a", "a/b"]],
    ["a mode", (root) => chmodSync(join(root, "c/d/4"), 0o755), ["", "c", "c/d"]],
    ["a mode of a directory", (root) => chmodSync(join(root, "c/d"), 0o700), ["", "c", "c/d"]],
    ["a time", (root) => utimesSync(join(root, "a-b/3"), then, then), ["", "a-b"]],
    ["a link's time", (root) => lutimesSync(join(root, "a/link"), then, then), ["", "a"]],
    ["a name more", (root) => writeFileSync(join(root, "a/b/new"), ""), ["", "a", "a/b"]],
    ["a name less", (root) => rmSync(join(root, "c/d/4")), ["", "c", "c/d"]],
    [
      "another name",
      (root) => renameSync(join(root, "a/1"), join(root, "a/0")),
      // The names above stand in no directory that has changed.
      ["", "a"],
    ],
  ])("are others with %s, of all that hold it and of no other", (_, change, others) =>
    withTree(async (root) => {
      const before = await mark(root);
      change(root);
      expect(await findOthers(root, before)).toEqual(others);
    }),
  );

  it("are not told of a root of which a part was looked at", () =>
    withTree(async (root) => {
      const marks = await mark(root, 60_000, false);
      expect([...marks.keys()]).toEqual(directories.filter((path) => path !== ""));
    }));

  it("are told of nothing that changed so lately that it may change again unseen", () =>
    withTree(async (root) => {
      expect([...(await mark(root, 0)).keys()]).toEqual([]);
    }));
});
