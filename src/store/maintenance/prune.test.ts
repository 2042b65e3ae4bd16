import { mkdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createTestImage, createTestLayer, stageTestLayers } from "../../../test/support/images.ts";
import { commitRecorded, commitTestImage, withStore } from "../../../test/support/store.ts";
import type { Digest, Image } from "../../oci/model.ts";
import { commitImage } from "../images/commit.ts";
import { findImage, readImage } from "../images/images.ts";
import { removeName } from "../images/names.ts";
import { blobPath, documentPath, type Store } from "../layout/paths.ts";
import { pruneStore } from "./prune.ts";
import { measureTree } from "./usage.ts";
import { findRecord, findRef } from "../records/records.ts";
import { beginRun } from "../runs/runs.ts";
import { findBlob } from "../blobs/blobs.ts";

const name = "localhost/app:latest";
const day = 24 * 60 * 60 * 1000;

/** Lets an image look as if it was last used this long ago. */
async function age(store: Store, image: Image, key: string, milliseconds: number): Promise<void> {
  const then = new Date(Date.now() - milliseconds);
  await utimes(blobPath(store, image.digest), then, then);
  await utimes(documentPath(store, "records", key), then, then).catch(() => undefined);
}

function matches(item: string): boolean {
  return item.startsWith("localhost/ci:");
}

function layerOf(image: Image, index: number): Digest {
  return image.manifest.layers[index]?.digest ?? image.digest;
}

test("a store that is not there is pruned to nothing, and not made", () =>
  withStore(async (store) => {
    expect(await pruneStore(store, {})).toEqual({
      names: [],
      images: [],
      blobs: [],
      freed: 0,
      kept: 0,
    });
    await expect(stat(store.directory)).rejects.toMatchObject({ code: "ENOENT" });
  }));

test("what no tag needs goes, with its records; shared layers and the last build of a stage stay", () =>
  withStore(async (store) => {
    const old = await commitRecorded(store, ["shared", "old"], "old", [name]);
    const now = await commitRecorded(store, ["shared", "new"], "new", [name]);
    const stage = await commitTestImage(store, ["stage"], { refs: ["target/stage/amd64"] });
    const plan = await pruneStore(store, { dryRun: true });
    expect(await findBlob(store, { digest: layerOf(old, 1) })).toBeDefined();
    const result = await pruneStore(store, {});
    expect(result).toEqual(plan);
    expect(result.blobs.map(({ digest }) => digest).sort()).toEqual(
      [old.digest, old.manifest.config.digest, layerOf(old, 1)].sort(),
    );
    expect(await findImage(store, name)).toEqual(now);
    expect(await findBlob(store, { digest: layerOf(now, 0) })).toBeDefined();
    expect(await findRecord(store, "old")).toBeUndefined();
    expect((await findRecord(store, "new"))?.manifest).toBe(now.digest);
    expect((await findRef(store, "target/stage/amd64"))?.manifest).toBe(stage.digest);
    expect(await readImage(store, stage.digest)).toEqual(stage);
    expect((await pruneStore(store, {})).blobs).toEqual([]);
  }));

test("with an age, what was used since then stays, also by being found up to date", () =>
  withStore(async (store) => {
    const [first, second, third] = [
      await commitRecorded(store, ["1"], "1"),
      await commitRecorded(store, ["2"], "2"),
      await commitRecorded(store, ["3"], "3"),
    ];
    await age(store, first, "1", 9 * day);
    await age(store, second, "2", 9 * day);
    await findRecord(store, "2");
    await pruneStore(store, { usedBefore: Date.now() - 7 * day });
    const found = await Promise.all([first, second, third].map((i) => readImage(store, i.digest)));
    expect(found).toEqual([undefined, second, third]);
  }));

test("with a size, the longest unused goes first, and never what a tag needs", () =>
  withStore(async (store) => {
    const images = [];
    for (const key of ["1", "2", "3"]) images.push(await commitRecorded(store, [key], key));
    for (const [index, image] of images.entries()) {
      await age(store, image, String(index + 1), (9 - index) * day);
    }
    const tagged = await commitRecorded(store, ["tagged"], "4", [name]);
    const { kept } = await pruneStore(store, { dryRun: true, maxSize: 1e9 });
    const { freed } = await pruneStore(store, { maxSize: kept - 1 });
    expect(freed).toBeGreaterThan(0);
    const found = await Promise.all(images.map((image) => readImage(store, image.digest)));
    expect(found).toEqual([undefined, images[1], images[2]]);
    await pruneStore(store, { maxSize: 0 });
    expect(await findImage(store, name)).toEqual(tagged);
  }));

test("names go by pattern, with an age only those of old images", () =>
  withStore(async (store) => {
    const old = await commitTestImage(store, ["old"], { names: ["localhost/ci:1", name] });
    const now = await commitTestImage(store, ["new"], { names: ["localhost/ci:2"] });
    await age(store, old, "", 9 * day);
    const { names } = await pruneStore(store, { matches, usedBefore: Date.now() - 7 * day });
    expect(names).toEqual(["localhost/ci:1"]);
    expect(await findImage(store, name)).toEqual(old);
    expect(await findImage(store, "localhost/ci:2")).toEqual(now);
    expect((await pruneStore(store, { matches })).names).toEqual(["localhost/ci:2"]);
    expect(await findBlob(store, { digest: now.digest })).toBeUndefined();
  }));

test("what a running build holds stays until it ends", () =>
  withStore(async (store) => {
    const image = await commitTestImage(store, ["one"], { names: [name] });
    const run = await beginRun(store);
    expect(await run.hold(image)).toBe(true);
    await removeName(store, name);
    expect((await pruneStore(store, {})).blobs).toEqual([]);
    await run.end();
    expect((await pruneStore(store, {})).blobs.length).toBe(3);
    const late = await beginRun(store);
    expect(await late.hold(image)).toBe(false);
  }));

test("what a running build has staged and not committed is not touched", () =>
  withStore(async (store) => {
    await commitTestImage(store, ["one"], { names: [name] });
    const layer = await createTestLayer("two", "two");
    const image = createTestImage([layer]);
    const run = await beginRun(store);
    const stagedBlobs = await stageTestLayers([layer], run.staging);
    await pruneStore(store, { maxSize: 0, usedBefore: Date.now() + day });
    await commitImage(run, { image, stagedBlobs, names: [name] });
    expect(await findImage(store, name)).toEqual(image);
    expect(await readFile(blobPath(store, layer.digest))).toEqual(Buffer.from(layer.bytes));
  }));

test.each(["damaged", "gone"])("a tag whose manifest is %s stops a prune", (how) =>
  withStore(async (store) => {
    const image = await commitTestImage(store, ["one"], { names: [name] });
    const path = blobPath(store, image.digest);
    await (how === "gone" ? rm(path) : writeFile(path, "{}"));
    await expect(pruneStore(store, {})).rejects.toMatchObject({ code: "store-damaged" });
    expect(await findBlob(store, { digest: layerOf(image, 0) })).toBeDefined();
  }),
);

test("blobs that no image has go; files that are no blobs stay", () =>
  withStore(async (store) => {
    await commitTestImage(store, ["one"], { names: [name] });
    const digest: Digest = `sha256:${"0".repeat(64)}`;
    await writeFile(blobPath(store, digest), "orphan");
    const other = join(store.directory, "blobs", "sha256", "readme");
    await writeFile(other, "x");
    const { blobs, freed } = await pruneStore(store, {});
    expect([blobs.map((blob) => blob.digest), freed]).toEqual([[digest], 6]);
    expect(await readFile(other, "utf8")).toBe("x");
  }));

/** As a build of a target does: with a record, and as the last build of it. */
async function commitBuilt(store: Store, content: string, target: string): Promise<Image> {
  const layer = await createTestLayer(content, content);
  const manifest = createTestImage([layer]).digest;
  const names = target.startsWith("/") ? [] : [target];
  const records = [{ key: content, manifest, names }];
  return commitTestImage(store, [content], { names, records, refs: [`${target}\nbuild\n`] });
}

test("a last build goes when all names of its target are gone, and with --all in any case", () =>
  withStore(async (store) => {
    const kept = await commitBuilt(store, "kept", name);
    const gone = await commitBuilt(store, "gone", "localhost/ci:1");
    const unnamed = await commitBuilt(store, "unnamed", "/work/context");
    expect((await pruneStore(store, {})).images).toEqual([]);
    await removeName(store, "localhost/ci:1");
    expect((await pruneStore(store, {})).images).toEqual([gone.digest]);
    expect(await findRef(store, "localhost/ci:1\nbuild\n")).toBeUndefined();
    expect((await pruneStore(store, { all: true })).images).toEqual([unnamed.digest]);
    expect(await findImage(store, name)).toEqual(kept);
    expect((await findRecord(store, "kept"))?.manifest).toBe(kept.digest);
  }));

test("names that are forgotten by pattern take the last builds of their targets along", () =>
  withStore(async (store) => {
    const image = await commitBuilt(store, "one", "localhost/ci:1");
    expect((await pruneStore(store, { matches })).images).toEqual([image.digest]);
  }));

test("what builds left for several stages goes with the last of them, and is counted once", () =>
  withStore(async (store, place) => {
    const names = ["localhost/ci:1", "localhost/ci:2"];
    const directory = join(place, "left");
    await mkdir(directory);
    await writeFile(join(directory, "file"), "x".repeat(5000));
    for (const each of names) await commitBuilt(store, each, each);
    const keys = ["localhost/ci:1\nbuild\n", "localhost/ci:2\nbuild\n"] as const;
    await commitTestImage(store, names, { state: { keys, directory, times: "any" } });
    await pruneStore(store, {});
    const sizes: number[] = [];
    for (const each of names) {
      await removeName(store, each);
      const before = await measureTree(store.directory);
      const { freed } = await pruneStore(store, {});
      expect(await measureTree(store.directory)).toBe(before - freed);
      sizes.push(freed);
    }
    expect(sizes.map((size) => size > 5000)).toEqual([false, true]);
  }));

test("with --all goes what only saves time, and what is freed is what is free", () =>
  withStore(async (store) => {
    await commitBuilt(store, "kept", name);
    await commitBuilt(store, "unnamed", "/work/context");
    await writeFile(join(store.directory, "cache", "stat-1"), "cache");
    const before = await measureTree(store.directory);
    expect((await pruneStore(store, { usedBefore: 0, all: true })).freed).toBe(0);
    const { freed } = await pruneStore(store, { all: true });
    expect(await measureTree(store.directory)).toBe(before - freed);
    await expect(stat(join(store.directory, "cache", "stat-1"))).rejects.toThrow("ENOENT");
  }));
