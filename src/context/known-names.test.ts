import { chmodSync, lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { withTemporaryDirectory } from "../../test/support/images.ts";
import { toEntry, trust } from "./entry.ts";
import { type ContextHash, hashContext } from "./hash.ts";
import { type KnownNames, openKnownNames } from "./known-names.ts";
import { openSnapshot } from "./snapshot.ts";

const rules = { ignore: () => false, hasExceptions: false, rules: "" };

/** As if all changes so far were long past. */
async function hashLater(root: string, options: object = {}): Promise<ContextHash> {
  vi.spyOn(Date, "now").mockReturnValue(new Date().getTime() + 60_000);
  try {
    return await hashContext(root, { ...rules, ...options });
  } finally {
    vi.restoreAllMocks();
  }
}

/** Names whose order with a slash is another one than without. */
const files = ["d/a/1", "d/a/2", "d/a-b", "d/a.b/x", "d/b", "d/ä/y", "e/only"];

async function withTree(action: (root: string, known: KnownNames) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (root) => {
    for (const file of files) {
      mkdirSync(join(root, file, ".."), { recursive: true });
      writeFileSync(join(root, file), file);
    }
    mkdirSync(join(root, "empty"));
    const known = openKnownNames(root, (await hashLater(root)).snapshot, trust.settled);
    if (known === undefined) throw new Error("the temporary files are on an odd file system");
    await action(root, known);
  });
}

/** All that is below a directory, found by what is known alone. */
function listAll(root: string, known: KnownNames, directory: string): readonly string[] {
  const names = known.list(toEntry(directory, lstatSync(join(root, directory))));
  if (names === undefined) return [`${directory}: unknown`];
  const found: string[] = [];
  for (const [name, type] of names) {
    const path = `${directory}/${name}`;
    found.push(path, ...(type === "directory" ? listAll(root, known, path) : []));
  }
  return found;
}

describe("names of directories that nobody changed", () => {
  it("are those that were found, in the order of the walk", () =>
    withTree(async (root, known) => {
      const all = "a a/1 a/2 a-b a.b a.b/x b ä ä/y".split(" ").map((one) => `d/${one}`);
      expect(listAll(root, known, "d")).toEqual(all);
      expect(listAll(root, known, "e")).toEqual(["e/only"]);
    }));

  it("are passed where nobody asks for them", () =>
    withTree(async (root, known) => {
      const [first] = known.list(toEntry("d", lstatSync(join(root, "d")))) ?? [];
      expect(first).toEqual(["a", "directory"]);
      expect(listAll(root, known, "e")).toEqual(["e/only"]);
    }));

  it("are not known of one that had none: it may have been closed to us", () =>
    withTree(async (root, known) => {
      expect(listAll(root, known, "empty")).toEqual(["empty: unknown"]);
    }));

  it.each<[string, (root: string) => void]>([
    ["a new name", (root) => writeFileSync(join(root, "e/new"), "")],
    ["a name that is gone", (root) => rmSync(join(root, "e/only"))],
    ["another name", (root) => renameSync(join(root, "e/only"), join(root, "e/one"))],
    ["another file of the name", (root) => renameSync(join(root, "d/b"), join(root, "e/only"))],
    ["another mode", (root) => chmodSync(join(root, "e"), 0o700)],
    ["another directory", (root) => replaceDirectory(root)],
  ])("are forgotten with %s", (_, change) =>
    withTree(async (root, known) => {
      change(root);
      expect(listAll(root, known, "e")).toEqual(["e: unknown"]);
    }),
  );
});

function replaceDirectory(root: string): void {
  renameSync(join(root, "e"), join(root, "f"));
  renameSync(join(root, "d/a"), join(root, "e"));
}

describe("a context whose names are known", () => {
  it("has what other rules find where they are others", () =>
    withTree(async (root) => {
      const cache = `${root}.cache`;
      const withoutB = { ignore: (path: string) => path === "d/b", rules: "d/b" };
      await hashLater(root, { cache });
      const without = await hashLater(root, { cache, ...withoutB });
      expect(without.digest).toBe((await hashLater(root, withoutB)).digest);
      expect((await hashLater(root, { cache })).digest).toBe((await hashLater(root)).digest);
      rmSync(cache);
    }));

  it("has what is kept in an ignored directory", () =>
    withTree(async (root) => {
      const cache = `${root}.cache`;
      const options = {
        cache,
        ignore: (path: string) => path.startsWith("d") && path !== "d/new",
        hasExceptions: true,
        rules: "d !d/new",
      };
      await hashLater(root, options);
      writeFileSync(join(root, "d/new"), "");
      const paths = Array.from((await hashLater(root, options)).files, ([path]) => path);
      expect(paths).toEqual(["d", "d/new", "e", "e/only", "empty"]);
      rmSync(cache);
    }));

  it("is whole where the cache is cut in the midst of a directory", () =>
    withTree(async (root) => {
      const cache = `${root}.cache`;
      for (let at = 0; at < 3000; at += 1) writeFileSync(join(root, "d/a", `n${at}`), "");
      const { digest } = await hashLater(root, { cache });
      const bytes = await readFile(cache);
      // The last block but one, and with it those behind it.
      const at = bytes.length - 60_000;
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      await writeFile(cache, bytes);
      expect(openSnapshot(cache)?.count).toBe(3013);
      expect((await hashLater(root, { cache })).digest).toBe(digest);
      rmSync(cache);
    }));
});
