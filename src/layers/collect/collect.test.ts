import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  asPrevious,
  collect,
  compress,
  createDirectory,
  createPrevious,
  digestOf,
  layersOf,
  makeTar,
  writeBlobs,
  writeFiles,
} from "../../../test/support/layers/fixtures.ts";

const ociTar = "application/vnd.oci.image.layer.v1.tar";

function tar(): Buffer {
  return makeTar(writeFiles(createDirectory(), { "usr/bin/a": "a", "etc/b": "b" }));
}

describe("exact form", () => {
  it.each([
    ["tar", ociTar, (bytes: Buffer) => bytes],
    ["gzip", `${ociTar}+gzip`, (bytes: Buffer) => gzipSync(bytes)],
    [
      "gzip of two members",
      `${ociTar}+gzip`,
      (bytes: Buffer) =>
        Buffer.concat([gzipSync(bytes.subarray(0, 700)), gzipSync(bytes.subarray(700))]),
    ],
    ["zstd", `${ociTar}+zstd`, (bytes: Buffer) => compress("zstd", bytes)],
  ])("takes a blob of %s bit for bit", async (_name, mediaType, pack) => {
    const output = createDirectory();
    const plain = tar();
    const blob = pack(plain);
    const [digest] = writeBlobs(output, blob);
    writeFiles(output, { "history.json": JSON.stringify([{ created_by: "one", digest }]) });
    const [layer] = layersOf(await collect(output));
    expect(layer).toMatchObject({
      name: "one",
      status: "new",
      diffId: digestOf(plain),
      descriptor: { mediaType, digest, size: blob.length },
      history: { created_by: "one" },
    });
    expect(readFileSync(layer?.blob?.path ?? "").equals(blob)).toBe(true);
  });

  it("reads history.jsonl, keeps by digest without bytes, and finds a known blob equal", async () => {
    const output = createDirectory();
    const plain = tar();
    const [digest] = writeBlobs(output, plain);
    const kept = digestOf(Buffer.from("kept"));
    const diffId = digestOf(Buffer.from("diff"));
    const lines = [
      { created_by: "known", digest },
      { created_by: "kept", digest: kept, comment: "new comment" },
      { created_by: "nothing", empty_layer: true },
    ];
    writeFiles(output, {
      "history.jsonl": lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
    });
    const previous = createPrevious([
      {
        name: "old",
        digest: kept,
        diffId,
        annotations: { "a.b": "c" },
        urls: ["https://u"],
        history: { created_by: "old", created: "2025-01-01T00:00:00Z", author: "somebody" },
      },
      {
        name: "known",
        digest: digest ?? kept,
        diffId: digest ?? kept,
        size: plain.length,
        mediaType: ociTar,
      },
    ]);
    const { entries } = await collect(output, { previous: [previous] });
    expect(entries).toMatchObject([
      { layer: { status: "equal", diffId: digest } },
      {
        layer: {
          status: "kept",
          diffId,
          descriptor: { digest: kept, annotations: { "a.b": "c" }, urls: ["https://u"] },
          history: { created_by: "kept", comment: "new comment", created: "2025-01-01T00:00:00Z" },
        },
      },
      { kind: "empty", history: { created_by: "nothing", empty_layer: true } },
    ]);
  });
});

describe("loose form", () => {
  it("orders layers by number, then by name, and packs trees and archives alike", async () => {
    const output = createDirectory();
    writeFiles(join(output, "layers"), { "10-z/etc/z": "z", "9-b/etc/b": "b", "a/etc/a": "a" });
    const source = writeFiles(createDirectory(), { "etc/b": "b" });
    writeFiles(output, {
      "layers/9-c.tar": makeTar(source),
      "layers/9-d.tar.gz": gzipSync(makeTar(source)),
      "layers/9-e.tar.zst": compress("zstd", makeTar(source, "--format=pax")),
    });
    const layers = layersOf(await collect(output, { epoch: 1_000_000_000, reuse: "content" }));
    expect(layers.map((layer) => layer.name)).toEqual(["b", "c", "d", "e", "z", "a"]);
    const same = new Set(layers.slice(0, 4).map((layer) => layer.diffId));
    expect(same.size).toBe(1);
    for (const layer of layers) {
      const tar = gunzipSync(readFileSync(layer.blob?.path ?? ""));
      expect(digestOf(tar)).toBe(layer.diffId);
      expect(digestOf(readFileSync(layer.blob?.path ?? ""))).toBe(layer.descriptor.digest);
    }
  });

  it.each(["gzip", "zstd", "none"] as const)(
    "compresses with %s what tar can list",
    async (compression) => {
      const output = createDirectory();
      writeFiles(join(output, "layers/a"), { "b-c": "1", "b/d": "2".repeat(3_000_000) });
      const [layer] = layersOf(await collect(output, { compression }));
      const list = execFileSync("tar", ["-tf", layer?.blob?.path ?? ""], { encoding: "utf8" });
      expect(list.trim().split("\n")).toEqual(["b/", "b-c", "b/d"]);
    },
  );

  it("keeps the blob of equal content, whatever its times, and packs what differs", async () => {
    const output = createDirectory();
    writeFiles(output, { "layers/a/etc/a": "a", "layers/b/etc/b": "b" });
    const first = await collect(output);
    utimesSync(join(output, "layers/a/etc/a"), 1, 1);
    writeFileSync(join(output, "layers/b/etc/b"), "changed");
    const second = layersOf(await collect(output, { previous: [asPrevious(first)] }));
    expect(second.map((layer) => layer.status)).toEqual(["equal", "new"]);
    expect(second[0]?.descriptor).toEqual(layersOf(first)[0]?.descriptor);
    expect(second[0]?.history.created).toBe("2026-01-01T00:00:00Z");
    expect(second[1]?.history).toEqual({ created_by: "b" });
    const untrusted = layersOf(await collect(output, { previous: [asPrevious(first, false)] }));
    expect(untrusted.map((layer) => layer.status)).toEqual(["new", "new"]);
    const exact = layersOf(
      await collect(output, { previous: [asPrevious(first)], reuse: "exact" }),
    );
    expect(exact.map((layer) => layer.status)).toEqual(["new", "new"]);
  });

  it("keeps by name, by path, and mixes with blobs", async () => {
    const output = createDirectory();
    writeFiles(output, { "layers/a/etc/a": "a", "layers/b.keep": "", "layers/1/x": "x" });
    const first = createPrevious([
      { name: "b", digest: digestOf(Buffer.from("b")), diffId: digestOf(Buffer.from("d")) },
    ]);
    const [digest] = writeBlobs(output, makeTar(writeFiles(createDirectory(), { c: "c" })));
    const history = [
      { created_by: "of/path 1", path: "layers/1" },
      { created_by: "blob", digest },
      { path: "layers/b.keep" },
      { path: "layers/a", comment: "hello" },
    ];
    writeFiles(output, { "history.json": JSON.stringify({ schemaVersion: 1, history }) });
    const layers = layersOf(await collect(output, { previous: [first] }));
    expect(layers.map(({ name, status }) => [name, status])).toEqual([
      ["of/path 1", "new"],
      ["blob", "new"],
      ["b", "kept"],
      ["a", "new"],
    ]);
    expect(layers[3]?.history).toEqual({ created_by: "a", comment: "hello" });
  });
});

describe("documents", () => {
  it("gives config, annotations, state, and warns about the rest", async () => {
    const output = createDirectory();
    writeFiles(output, {
      "layers/a/x": "x",
      "config.json": '{"Env":["A=1"],"Labels":{"x":null},"User":null}',
      "annotations.json": '{"org.example.a":"b"}',
      "state/signatures/one": "1",
      "notes.txt": "",
      "layers/readme": "",
    });
    mkdirSync(join(output, "state/empty"));
    const collected = await collect(output);
    expect(collected.config).toEqual({ Env: ["A=1"], Labels: { x: null }, User: null });
    expect(collected.annotations).toEqual({ "org.example.a": "b" });
    expect(readFileSync(join(collected.state ?? "", "signatures/one"), "utf8")).toBe("1");
    expect(collected.warnings.map(({ file }) => file)).toEqual([
      "output/notes.txt",
      "output/layers/readme",
    ]);
  });
});
