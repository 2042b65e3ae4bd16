import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { withTemporaryDirectory } from "../../test/support/images.ts";
import { trust } from "./entry.ts";
import { findChanges } from "./find-changes.ts";
import { hashContext } from "./hash.ts";
import type { Snapshot } from "./snapshot.ts";
import type { WalkOptions } from "./walk.ts";

const helpers = { count: async () => undefined, crew: () => undefined, close: () => {} };
const all: WalkOptions = { ignore: () => false, hasExceptions: false, rules: "all" };

/** As if all changes so far were long past. */
async function look(
  root: string,
  options: WalkOptions & { readonly cache?: string },
): Promise<Snapshot> {
  vi.spyOn(Date, "now").mockReturnValue(new Date().getTime() + 60_000);
  try {
    return (await hashContext(root, { ...options, withOwners: false })).snapshot;
  } finally {
    vi.restoreAllMocks();
  }
}

async function withTree(
  action: (root: string, find: (options?: WalkOptions) => Promise<string>) => Promise<void>,
  options = all,
): Promise<void> {
  await withTemporaryDirectory(async (root) => {
    for (const path of ["a/1", "a/b/2", "a/b.c", "a-b", "d/3", "z"]) {
      mkdirSync(join(root, path, ".."), { recursive: true });
      writeFileSync(join(root, path), path);
    }
    mkdirSync(join(root, "empty"));
    const snapshot = await look(root, options);
    await action(root, async (now = options) => {
      const found = await findChanges(snapshot, {
        root,
        options: now,
        helpers,
        trust: trust.settled,
      });
      return found?.map(({ at, entry }) => `${at} ${entry.path}`).join(", ") ?? "a walk is needed";
    });
  });
}

describe("what changed of a tree", () => {
  it("is nothing", () => withTree(async (_, find) => expect(await find()).toBe("")));

  it("is files, links, and directories that have other files of the same names", () =>
    withTree(async (root, find) => {
      appendFileSync(join(root, "a/b/2"), "x");
      writeFileSync(join(root, "new"), "");
      renameSync(join(root, "new"), join(root, "d/3"));
      expect(await find()).toBe("3 a/b/2, 6 d, 7 d/3");
    }));

  it.each<[string, (root: string) => void]>([
    ["a new name in the root", (root) => writeFileSync(join(root, "zz"), "")],
    ["a new first name", (root) => writeFileSync(join(root, "a/b/1"), "")],
    ["a new name behind all others of a directory", (root) => writeFileSync(join(root, "a/c"), "")],
    ["a new name in an empty directory", (root) => writeFileSync(join(root, "empty/1"), "")],
    ["a name that went", (root) => rmSync(join(root, "d/3"))],
    ["the last name that went", (root) => rmSync(join(root, "z"))],
    ["another name", (root) => renameSync(join(root, "d/3"), join(root, "d/4"))],
    ["a link in place of a file", (root) => replaceByLink(join(root, "a/1"))],
    ["a file in place of a directory", (root) => replaceByFile(join(root, "empty"))],
  ])("is found by a walk with %s", (_, change) =>
    withTree(async (root, find) => {
      change(root);
      expect(await find()).toBe("a walk is needed");
    }),
  );

  it("is found by a walk where a directory had no names that we saw, and has some now", () =>
    withTree(
      async (_, find) => {
        expect(await find()).toBe("");
        expect(await find(all)).toBe("a walk is needed");
      },
      { ...all, ignore: (path) => path === "d/3" },
    ));

  it("is found by a walk where what is asked for was not there", () =>
    withTree(
      async (root, find) => {
        writeFileSync(join(root, "later"), "");
        expect(await find()).toBe("");
        mkdirSync(join(root, "d/later"));
        expect(await find()).toBe("a walk is needed");
      },
      { ...all, only: ["a", "d/later", "d/3"] },
    ));

  it("is found by a walk on a file system that does not tell", async () => {
    const snapshot = await look("/proc/self/fdinfo", all);
    const find = { root: "/proc/self/fdinfo", options: all, helpers, trust: trust.none };
    expect(lstatSync("/proc/self/fdinfo").isDirectory()).toBe(true);
    expect(await findChanges(snapshot, find)).toBeUndefined();
  });
});

/** Mounts directories upon each other. */
function mountOverlay(lower: readonly string[], at: string): void {
  const options = ["-t", "overlay", "overlay", "-o", `lowerdir=${lower.join(":")}`, at];
  execFileSync("mount", options);
}

it.skipIf(process.getuid?.() !== 0)("a directory that is merged of several is listed", () =>
  withTemporaryDirectory(async (temporary) => {
    const [upper, lower] = [join(temporary, "upper"), join(temporary, "lower")];
    const [merged, cache] = [join(temporary, "merged"), join(temporary, "cache")];
    for (const path of [join(upper, "d"), join(lower, "d"), merged])
      mkdirSync(path, { recursive: true });
    writeFileSync(join(upper, "d/1"), "");
    mountOverlay([upper, lower], merged);
    try {
      await look(merged, { ...all, cache });
      execFileSync("umount", ["-l", merged]);
      writeFileSync(join(lower, "d/2"), "");
      mountOverlay([upper, lower], merged);
      const { digest } = await look(merged, { ...all, cache });
      expect(digest).toBe((await look(merged, all)).digest);
      expect(digest).not.toBe((await look(upper, all)).digest);
    } finally {
      execFileSync("umount", ["-l", merged]);
    }
  }),
);

function replaceByLink(path: string): void {
  rmSync(path);
  symlinkSync("nowhere", path);
}

function replaceByFile(path: string): void {
  rmSync(path, { recursive: true });
  writeFileSync(path, "");
}
