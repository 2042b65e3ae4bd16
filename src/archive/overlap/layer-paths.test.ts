import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createDirectory } from "../../../test/support/layers/fixtures.ts";
import { rawEntry, rawPax, rawTar } from "../../../test/support/layers/raw-tar.ts";
import { type LayerPaths, readLayerPaths } from "./layer-paths.ts";
import { decodePaths, encodePaths } from "./paths-text.ts";

function readTar(...parts: readonly Buffer[]): Promise<LayerPaths> {
  const path = join(createDirectory(), "layer.tar");
  writeFileSync(path, rawTar(...parts));
  return readLayerPaths({ path, shown: "layer.tar" });
}

function directory(name: string, mode = 0o755): Buffer {
  return rawEntry({ name, type: "5", mode });
}

const link = (name: string, target: string): Buffer => rawEntry({ name, type: "1", link: target });

describe("what a layer says of paths", () => {
  test("entries, the directories that they lie in, and what is removed", async () => {
    const { entries, removed, opaque } = await readTar(
      directory("./"),
      directory("etc/"),
      rawEntry({ name: "etc/conf", data: "1" }),
      rawEntry({ name: "usr/lib/x" }),
      rawEntry({ name: "var/.wh.cache" }),
      rawEntry({ name: "opt/.wh..wh..opq" }),
    );
    expect([...entries.keys()].sort()).toEqual(
      ["", "etc", "etc/conf", "opt", "usr", "usr/lib", "usr/lib/x", "var"].sort(),
    );
    expect(entries.get("etc")).not.toBe(entries.get("usr"));
    expect(entries.get("opt")).toBe(entries.get("usr"));
    expect([...removed]).toEqual(["var/cache"]);
    expect([...opaque]).toEqual(["opt"]);
  });

  test("a directory's own entry counts, before and behind what lies in it", async () => {
    const before = await readTar(directory("d/", 0o700), rawEntry({ name: "d/a" }));
    const behind = await readTar(rawEntry({ name: "d/a" }), directory("d/", 0o700));
    expect(before.entries.get("d")).toBe(behind.entries.get("d"));
    expect(before.entries.get("d")).toBe((await readTar(directory("d/", 0o700))).entries.get("d"));
  });

  const pairs: Readonly<Record<string, readonly [Buffer, Buffer, "same" | "other"]>> = {
    "a time": [rawEntry({ mtime: 1 }), rawEntry({ mtime: 2 }), "same"],
    "a content": [rawEntry({ data: "1" }), rawEntry({ data: "2" }), "other"],
    "a mode": [rawEntry({ mode: 0o644 }), rawEntry({ mode: 0o755 }), "other"],
    "an owner": [rawEntry({ uid: 1 }), rawEntry({ uid: 2 }), "other"],
    "a type": [rawEntry({}), rawEntry({ type: "6" }), "other"],
    "a link's target": [
      rawEntry({ type: "2", link: "a" }),
      rawEntry({ type: "2", link: "b" }),
      "other",
    ],
    "a link's mode": [
      rawEntry({ type: "2", link: "a", mode: 0o644 }),
      rawEntry({ type: "2", link: "a", mode: 0o777 }),
      "same",
    ],
    "an attribute": [
      Buffer.concat([rawPax([["SCHILY.xattr.user.a", "1"]]), rawEntry({})]),
      Buffer.concat([rawPax([["SCHILY.xattr.user.a", "2"]]), rawEntry({})]),
      "other",
    ],
  };
  test.each(Object.entries(pairs))("%s makes a difference, or none", async (_, [a, b, result]) => {
    const [first, second] = await Promise.all([readTar(a), readTar(b)]);
    const isSame = first.entries.get("file") === second.entries.get("file");
    expect(isSame ? "same" : "other").toBe(result);
  });

  test("a hard link is the file that it names", async () => {
    const { entries } = await readTar(rawEntry({ name: "a", data: "1" }), link("b", "a"));
    expect(entries.get("b")).toBe(entries.get("a"));
    const foreign = await readTar(link("b", "a"));
    expect(foreign.entries.get("b")).not.toBe(entries.get("b"));
  });

  test.each([
    ["a file that is a directory too", [rawEntry({ name: "d" }), rawEntry({ name: "d/a" })]],
    ["a directory that is a file too", [rawEntry({ name: "d/a" }), rawEntry({ name: "d" })]],
    ["a whiteout of no name", [rawEntry({ name: "d/.wh." })]],
    ["a whiteout of a parent", [rawEntry({ name: "d/.wh..." })]],
  ])("%s is refused", async (_, parts) => {
    await expect(readTar(...parts)).rejects.toMatchObject({ code: /^layer-tar-/ });
  });
});

describe("remembered", () => {
  test("it is what it was", async () => {
    const paths = await readTar(
      Buffer.concat([rawPax([["SCHILY.xattr.user.a", "\u{0}\n\u00ff"]]), rawEntry({ name: "a" })]),
      rawEntry({ name: "b\u00e9\n", data: "1" }),
      rawEntry({ name: ".wh.c" }),
      rawEntry({ name: "d/.wh..wh..opq" }),
    );
    expect(decodePaths(encodePaths(paths) ?? Buffer.alloc(0))).toEqual(paths);
    const empty = { entries: new Map(), removed: new Set<string>(), opaque: new Set<string>() };
    expect(decodePaths(encodePaths(empty) ?? Buffer.alloc(0))).toEqual(empty);
  });

  test.each([
    ["nothing", ""],
    ["another form", "paths-0\u{0}0\u{0}0\u{0}0"],
    ["too little", "paths-1\u{0}1\u{0}0\u{0}0\u{0}a"],
    ["no numbers", "paths-1\u{0}x\u{0}0\u{0}0"],
  ])("%s is not believed", (_, text) => {
    expect(decodePaths(Buffer.from(text, "latin1"))).toBeUndefined();
  });

  test("what has a NUL where none belongs is not remembered", () => {
    const entries = new Map([["a", "l0 0 0  b\u{0}c"]]);
    expect(encodePaths({ entries, removed: new Set(), opaque: new Set() })).toBeUndefined();
  });
});
