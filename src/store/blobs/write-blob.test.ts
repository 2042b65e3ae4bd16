import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createTestImage, createTestLayer } from "../../../test/support/images.ts";
import { withStore } from "../../../test/support/store.ts";
import { digestBytes } from "../../oci/digest.ts";
import { commitImage } from "../images/commit.ts";
import { blobPath } from "../layout/paths.ts";
import { beginRun } from "../runs/runs.ts";
import { createBlobWriter, writeBlob } from "./write-blob.ts";

test("a blob is hashed while it is written, small pieces and large ones, and readable for all", () =>
  withStore(async (store) => {
    const run = await beginRun(store);
    const pieces = ["a".repeat(10), "b".repeat(200_000), "c"].map((text) => Buffer.from(text));
    const before = process.umask(0o077);
    const writer = createBlobWriter(run.staging);
    try {
      for (const piece of pieces) await writer.write(piece);
      const blob = await writer.finish();
      const bytes = Buffer.concat(pieces);
      expect(blob).toMatchObject({ digest: digestBytes(bytes), size: bytes.length });
      expect(writer.digest()).toBe(blob.digest);
      writer.discard();
      expect((await readFile(blob.path)).equals(bytes)).toBe(true);
      expect((await stat(blob.path)).mode & 0o777).toBe(0o644);
    } finally {
      process.umask(before);
    }
  }));

test("what is discarded leaves nothing", () =>
  withStore(async (store) => {
    const run = await beginRun(store);
    const writer = createBlobWriter(run.staging);
    await writer.write(Buffer.from("x"));
    expect(await readdir(run.staging)).toHaveLength(1);
    writer.discard();
    writer.discard();
    expect(await readdir(run.staging)).toEqual([]);
  }));

test("the file that was written or brought into the run is the store's blob; what lies elsewhere is copied", () =>
  withStore(async (store, directory) => {
    const layers = await Promise.all(
      ["made", "brought", "far"].map((one) => createTestLayer(one, one)),
    );
    const [made, brought, far] = layers;
    if (made === undefined || brought === undefined || far === undefined)
      throw new Error("no layer");
    const run = await beginRun(store);
    const staged = await writeBlob(run.staging, made.bytes);
    const [near, outside] = [join(run.directory, "near"), join(directory, "outside")];
    await writeFile(near, brought.bytes);
    await writeFile(outside, far.bytes);
    const inodes = await Promise.all([staged.path, near, outside].map(inodeOf));
    const files = new Map([
      [brought.digest, near],
      [far.digest, outside],
      // What was made here is not taken from elsewhere too.
      [made.digest, join(directory, "nothing")],
    ]);
    await commitImage(run, {
      image: createTestImage(layers),
      stagedBlobs: [staged],
      files,
      names: [],
    });
    const paths = layers.map(({ digest }) => blobPath(store, digest));
    const now = await Promise.all(paths.map(inodeOf));
    expect(now.slice(0, 2)).toEqual(inodes.slice(0, 2));
    expect(now[2]).not.toBe(inodes[2]);
    expect((await readFile(paths[2] ?? "")).equals(far.bytes)).toBe(true);
    expect(await inodeOf(outside)).toBe(inodes[2]);
    expect(await readdir(run.staging)).toEqual([]);
    expect(await readdir(run.directory)).not.toContain("near");
    await run.end();
  }));

async function inodeOf(path: string): Promise<number> {
  return (await stat(path)).ino;
}
