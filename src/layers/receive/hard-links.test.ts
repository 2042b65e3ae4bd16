import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../../test/support/layers/fixtures.ts";
import { rawTar } from "../../../test/support/layers/raw-tar.ts";
import {
  codeOf,
  collectReceived,
  createReception,
  directory,
  file,
  hardLink,
  layers,
  listLayer,
  receive,
  take,
  tree,
} from "../../../test/support/layers/receive.ts";

describe("hard links", () => {
  it("to a file of their tree are what they are on a disk", async () => {
    const reception = await receive(
      layers,
      tree("a"),
      file("layers/a/x", "content"),
      hardLink("layers/a/y", "layers/a/x"),
    );
    expect(listLayer(await collectReceived(reception))).toEqual(["- 7 x", "h 0 y link to x"]);
  });

  it("to files of other trees are files, and links to each other", async () => {
    const reception = await receive(
      layers,
      tree("a"),
      file("layers/a/x", "content"),
      hardLink("layers/a/x2", "layers/a/x"),
      tree("b"),
      hardLink("layers/b/z", "layers/a/x2"),
      hardLink("layers/b/y", "layers/a/x"),
      tree("c"),
      hardLink("layers/c/z", "layers/b/y"),
    );
    const collected = await collectReceived(reception);
    expect(listLayer(collected, 1)).toEqual(["- 7 y", "h 0 z link to y"]);
    expect(listLayer(collected, 2)).toEqual(["- 7 z"]);
  });

  it("go from trees to files that stand alone, and back", async () => {
    const bytes = rawTar(file("x", "content"));
    const name = digestOf(bytes).slice(7);
    const { output, received } = await receive(
      directory("blobs"),
      directory("blobs/sha256"),
      file(`blobs/sha256/${name}`, bytes),
      hardLink("config.json", `blobs/sha256/${name}`),
      layers,
      tree("a"),
      hardLink("layers/a/blob", `blobs/sha256/${name}`),
      file("layers/a/x", "one"),
      hardLink("layers/b.tar", `layers/a/blob`),
      directory("state"),
      hardLink("state/x", "layers/a/x"),
      hardLink("state/y", "layers/b.tar"),
    );
    for (const place of [`blobs/sha256/${name}`, "config.json", "layers/b.tar", "state/y"])
      expect(readFileSync(join(output, place))).toEqual(bytes);
    expect(readFileSync(join(output, "state/x"), "utf8")).toBe("one");
    expect(received.findTree("a")).toBeDefined();
  });

  it("to what belongs nowhere have its bytes", async () => {
    const reception = await receive(
      directory("cache"),
      directory("cache/deep"),
      file("cache/deep/x", "content"),
      layers,
      tree("a"),
      hardLink("layers/a/x", "cache/deep/x"),
    );
    const collected = await collectReceived(reception);
    expect(listLayer(collected)).toEqual(["- 7 x"]);
    expect(collected.warnings.map(({ file: place }) => place)).toEqual(["output/cache"]);
    expect(readdirSync(join(reception.output, "cache"))).toEqual([]);
  });

  it("keep what the state has of a file", async () => {
    const { output } = await receive(
      layers,
      tree("a"),
      file("layers/a/x", "#!", { mode: 0o755, mtime: 1_000_000_000 }),
      directory("state"),
      hardLink("state/x", "layers/a/x"),
    );
    const { mode, mtimeMs } = statSync(join(output, "state/x"));
    expect([mode & 0o100, mtimeMs]).toEqual([0o100, 1_000_000_000_000]);
  });

  it.each<readonly [string, string, string]>([
    ["to nothing", "layers/b/y", "layers/a/nothing"],
    ["to a tree", "layers/b/y", "layers/a"],
    ["to the output itself", "layers/b/y", "layers"],
    ["to the archive's root", "layers/b/y", "."],
    ["to what comes later, in another tree", "layers/b/y", "layers/c/x"],
    ["to itself, alone", "config.json", "config.json"],
    ["to a document that did not come", "config.json", "history.json"],
    ["from a blob to itself", "blobs/x", "blobs/x"],
    ["to what is beside the output", "layers/b/y", "received/0.tar"],
  ])("%s are refused", async (_, name, link) => {
    const parts = [
      directory("blobs"),
      layers,
      tree("a"),
      file("layers/a/x"),
      tree("b"),
      hardLink(name, link),
    ];
    expect(await codeOf(...parts, tree("c"), file("layers/c/x"))).toBe("layer-tar-broken");
  });

  it.each([
    ["to a later entry", "y"],
    ["to themselves", "x"],
    ["to a directory", "d"],
  ])("%s of their tree are refused when they are collected", async (_, link) => {
    const reception = await receive(
      layers,
      tree("a"),
      directory("layers/a/d"),
      hardLink("layers/a/x", `layers/a/${link}`),
      file("layers/a/y"),
    );
    await expect(collectReceived(reception)).rejects.toMatchObject({
      code: "layer-tar-link-target",
    });
  });

  it.each(["x", "y", "d"])("to one that is wrong itself, to %s, are refused", async (link) => {
    const parts = [
      layers,
      tree("a"),
      directory("layers/a/d"),
      hardLink("layers/a/x", `layers/a/${link}`),
    ];
    const more = [file("layers/a/y"), tree("b"), hardLink("layers/b/x", "layers/a/x")];
    const code = await codeOf(...parts, ...more);
    // One to a directory leads to an entry, which the first layer is refused for.
    expect(code).toBe(link === "d" ? undefined : "layer-tar-broken");
  });

  it("cannot have the same bytes copied for ever", async () => {
    const parts = [directory("state"), file("state/big", Buffer.alloc(40_000))];
    const links = [1, 2, 3].map((at) => hardLink(`state/${at}`, "state/big"));
    const reception = createReception({ maxCopied: 100_000 });
    await take(reception, rawTar(...parts, ...links.slice(0, 2)));
    await expect(take(reception, rawTar(...parts, ...links))).rejects.toMatchObject({
      code: "layer-tar-broken",
    });
  });
});
