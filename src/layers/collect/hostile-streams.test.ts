import { readdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  collect,
  compress,
  createDirectory,
  digestOf,
  layersOf,
  writeBlobs,
  writeFiles,
} from "../../../test/support/layers/fixtures.ts";
import { rawEntry, rawPax, rawTar } from "../../../test/support/layers/raw-tar.ts";

const tar = rawTar(rawEntry({ name: "a", data: "a".repeat(5000) }));
const gzip = gzipSync(tar);
const zstd = compress("zstd", tar);

function writeExact(blob: Buffer): string {
  const output = createDirectory();
  const [digest] = writeBlobs(output, blob);
  return writeFiles(output, { "history.json": JSON.stringify([{ created_by: "a", digest }]) });
}

function flip(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0xff;
  return copy;
}

describe("compressed streams", () => {
  it.each([
    ["gzip cut in the data", gzip.subarray(0, 30), "layer-compression-broken"],
    ["gzip cut in the trailer", gzip.subarray(0, -3), "layer-compression-broken"],
    ["gzip cut in the header", gzip.subarray(0, 5), "layer-compression-broken"],
    ["gzip with a wrong checksum", flip(gzip, gzip.length - 6), "layer-compression-broken"],
    [
      "gzip with text behind",
      Buffer.concat([gzip, Buffer.from("text")]),
      "layer-compression-broken",
    ],
    [
      "gzip with zeros behind",
      Buffer.concat([gzip, Buffer.alloc(512)]),
      "layer-compression-trailing-data",
    ],
    [
      "gzip with many zeros behind",
      Buffer.concat([gzip, Buffer.alloc(5_000_000)]),
      "layer-compression-trailing-data",
    ],
    [
      "gzip with half a member behind",
      Buffer.concat([gzip, gzip.subarray(0, 20)]),
      "layer-compression-broken",
    ],
    ["two whole archives", Buffer.concat([gzip, gzip]), "layer-tar-trailing-data"],
    ["zstd that is cut", zstd.subarray(0, -5), "layer-compression-broken"],
    ["zstd with a wrong checksum", flip(zstd, zstd.length - 1), "layer-compression-broken"],
    [
      "zstd with text behind",
      Buffer.concat([zstd, Buffer.from("text")]),
      "layer-compression-broken",
    ],
    ["zstd with zeros behind", Buffer.concat([zstd, Buffer.alloc(9)]), "layer-compression-broken"],
    ["bzip2", Buffer.concat([Buffer.from("BZh91AY&SY"), Buffer.alloc(1000)]), "layer-tar-broken"],
  ])("refuses %s", async (_what, blob, code) => {
    const staging = createDirectory();
    await expect(collect(writeExact(blob), { staging })).rejects.toMatchObject({ code });
    const loose = writeFiles(createDirectory(), { "layers/a.tar": blob });
    await expect(collect(loose, { staging })).rejects.toMatchObject({ code });
    expect(readdirSync(staging)).toEqual([]);
  });

  it.each([
    [
      "gzip members",
      Buffer.concat([gzipSync(tar.subarray(0, 1000)), gzipSync(tar.subarray(1000))]),
    ],
    ["an empty gzip member in the end", Buffer.concat([gzip, gzipSync(Buffer.alloc(0))])],
    [
      "zstd frames",
      Buffer.concat([compress("zstd", tar.subarray(0, 99)), compress("zstd", tar.subarray(99))]),
    ],
    ["a skippable zstd frame in the end", Buffer.concat([zstd, skippable()])],
    ["a skippable zstd frame first", Buffer.concat([skippable(), zstd])],
  ])("takes %s", async (_what, blob) => {
    const [layer] = layersOf(await collect(writeExact(blob)));
    expect(layer?.diffId).toBe(digestOf(tar));
  });
});

function skippable(): Buffer {
  const frame = Buffer.alloc(20);
  frame.writeUInt32LE(0x184d2a50, 0);
  frame.writeUInt32LE(12, 4);
  return frame;
}

/** A gzip member of so many MiB of zeros after these bytes, without making them all. */
function gzipBomb(start: Buffer, mebibytes: number): Buffer {
  // Each chunk ends at a byte's border, so they can be put together.
  const chunk = deflateRawSync(Buffer.alloc(1024 ** 2), { finishFlush: 2 });
  const head = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
  const body = Array.from({ length: mebibytes }, () => chunk);
  return Buffer.concat([head, deflateRawSync(start, { finishFlush: 2 }), ...body]);
}

describe("bombs and limits", () => {
  const start = rawEntry({ name: "zeros", size: 0o77777777777, data: "" });

  it("stops a gzip bomb long before its end", async () => {
    const bomb = gzipBomb(start, 1500);
    await expect(collect(writeExact(bomb))).rejects.toMatchObject({
      code: "layer-expands-too-much",
    });
  });

  it("stops a zstd bomb", async () => {
    const bomb = compress("zstd", Buffer.concat([start, Buffer.alloc(1100 * 1024 ** 2)]));
    await expect(collect(writeExact(bomb))).rejects.toMatchObject({
      code: "layer-expands-too-much",
    });
  });

  it("counts what a sparse file would take", async () => {
    const records = [
      ["GNU.sparse.map", "0,0"],
      ["GNU.sparse.size", "8000000000000"],
    ] as const;
    const bomb = rawTar(rawPax(records), rawEntry({ name: "a" }));
    await expect(collect(writeExact(bomb))).rejects.toMatchObject({
      code: "layer-expands-too-much",
    });
  });

  it("stops loose archives and trees at the largest layer", async () => {
    const options = { maxLayerSize: 100 * 1024 ** 2 };
    const loose = writeFiles(createDirectory(), { "layers/a.tar.gz": gzipBomb(start, 200) });
    await expect(collect(loose, options)).rejects.toMatchObject({ code: "layer-too-large" });
    const tree = writeFiles(createDirectory(), { "layers/a/zeros": "" });
    truncateSync(join(tree, "layers/a/zeros"), 10 * 1024 ** 3);
    await expect(collect(tree, options)).rejects.toMatchObject({ code: "layer-too-large" });
    expect(statSync(join(tree, "layers/a/zeros")).blocks).toBe(0);
  });

  it("stops a blob over the largest layer", async () => {
    const output = writeExact(tar);
    await expect(collect(output, { maxLayerSize: 5000 })).rejects.toMatchObject({
      code: "layer-too-large",
    });
  });

  it("refuses a blob whose name is another's", async () => {
    const output = writeExact(tar);
    const [name] = readdirSync(join(output, "blobs/sha256"));
    writeFileSync(join(output, "blobs/sha256", name ?? ""), rawTar(rawEntry({ name: "b" })));
    await expect(collect(output)).rejects.toMatchObject({ code: "blob-digest-mismatch" });
  });
});
