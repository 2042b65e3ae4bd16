import { execFileSync } from "node:child_process";
import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  collect,
  createDirectory,
  createPrevious,
  digestOf,
  layersOf,
  makeTar,
  writeBlobs,
  writeFiles,
} from "../../../test/support/layers/fixtures.ts";

const digest = digestOf(Buffer.from("x"));

/** What may lie where a file or a directory belongs; none of it may be followed, opened or waited on. */
const intruders: readonly (readonly [string, (path: string) => void | Promise<void>])[] = [
  ["a link to a file of ours", (path) => symlinkSync("/etc/shadow", path)],
  ["a link to a directory of ours", (path) => symlinkSync("/etc", path)],
  ["a dangling link", (path) => symlinkSync("nowhere", path)],
  ["a FIFO", (path) => void execFileSync("mkfifo", [path])],
  ["a device", (path) => void execFileSync("mknod", [path, "c", "1", "5"])],
  ["a socket", (path) => listen(path)],
];

function listen(path: string): Promise<void> {
  const server = createServer();
  onTestFinished(() => void server.close());
  return new Promise((resolve) => server.listen(path, resolve));
}

const places = [
  "blobs",
  "blobs/sha256",
  `blobs/sha256/${digest.slice(7)}`,
  "layers",
  "layers/a",
  "layers/a.tar",
  "layers/a.tar.gz",
  "layers/a.keep",
  "history.json",
  "history.jsonl",
  "config.json",
  "annotations.json",
  "state",
];

describe.each(places)("at %s", (place) => {
  it.each(intruders)("refuses %s", async (_what, put) => {
    const output = createDirectory();
    mkdirSync(join(output, place, ".."), { recursive: true });
    if (place !== "layers" && !place.startsWith("history") && !place.startsWith("layers/")) {
      writeFiles(output, { "layers/ok/x": "x" });
    }
    await put(join(output, place));
    await expect(collect(output)).rejects.toMatchObject({ code: "output-file-type" });
  });
});

describe("wrong types", () => {
  it.each([
    "history.json",
    "config.json",
    "layers/a.tar",
    "layers/a.keep",
    `blobs/sha256/${digest.slice(7)}`,
  ])("refuses a directory at %s", async (place) => {
    const output = writeFiles(createDirectory(), { "layers/ok/x": "x" });
    mkdirSync(join(output, place), { recursive: true });
    await expect(collect(output)).rejects.toMatchObject({ code: "output-file-type" });
  });

  it.each(["blobs", "blobs/sha256", "layers", "state"])("refuses a file at %s", async (place) => {
    const output = writeFiles(createDirectory(), { [place]: "x", "history.json": "[]" });
    await expect(collect(output, { baseLayers: 1 })).rejects.toMatchObject({
      code: "output-file-type",
    });
  });

  it("packs links, FIFOs and whiteouts of a tree as what they are, and leaves out sockets", async () => {
    const output = writeFiles(createDirectory(), {
      "layers/a/d/.wh.gone": "",
      "layers/a/d/x": "x",
    });
    const tree = join(output, "layers/a");
    symlinkSync("/etc/shadow", join(tree, "link"));
    symlinkSync("/etc", join(tree, "etc"));
    execFileSync("mkfifo", [join(tree, "fifo")]);
    await listen(join(tree, "socket"));
    const { entries, warnings } = await collect(output, { compression: "none" });
    expect(warnings.map(({ code, file }) => [code, file])).toEqual([
      ["layer-socket", "output/layers/a/socket"],
    ]);
    const blob = entries[0]?.kind === "layer" ? entries[0].layer.blob?.path : "";
    const list = execFileSync("tar", ["-tvf", blob ?? ""], { encoding: "utf8" });
    expect(
      list
        .trim()
        .split("\n")
        .map((line) => line.replace(/^(.).*\d\d:\d\d (.*)$/, "$1 $2")),
    ).toEqual([
      "d d/",
      "- d/.wh.gone",
      "- d/x",
      "l etc -> /etc",
      "p fifo",
      "l link -> /etc/shadow",
    ]);
  });

  it("refuses a device in a tree unless devices are allowed", async () => {
    const output = writeFiles(createDirectory(), { "layers/a/x": "x" });
    execFileSync("mknod", [join(output, "layers/a/null"), "c", "1", "3"]);
    execFileSync("mknod", [join(output, "layers/a/disk"), "b", "259", "300"]);
    await expect(collect(output)).rejects.toMatchObject({ code: "layer-tar-device" });
    const [layer] = layersOf(await collect(output, { allowDevices: true, compression: "none" }));
    const list = execFileSync("tar", ["-tvf", layer?.blob?.path ?? ""], { encoding: "utf8" });
    expect(list).toMatch(/^b.* 259,300 .*disk\nc.* 1,3 .*null/);
  });

  it("refuses whiteouts in a tree that would remove more than a name", async () => {
    const output = writeFiles(createDirectory(), { "layers/a/d/.wh.": "" });
    await expect(collect(output)).rejects.toMatchObject({ code: "layer-tar-whiteout" });
  });
});

describe("names", () => {
  const hex = "a".repeat(64);
  it.each([hex.toUpperCase(), "a".repeat(63), "..a", `${hex}.tmp`, "é"])(
    "refuses a blob named %s",
    async (name) => {
      const output = writeFiles(createDirectory(), {
        [`blobs/sha256/${name}`]: "x",
        "history.json": "[]",
      });
      await expect(collect(output)).rejects.toMatchObject({ code: "blob-name-invalid" });
    },
  );

  it.each([
    ["bytes that are no UTF-8", Buffer.from([0xff, 0xfe])],
    ["nothing but its order", Buffer.from("10-")],
  ])("refuses a loose layer named by %s", async (_what, name) => {
    const output = createDirectory();
    mkdirSync(join(output, "layers"));
    mkdirSync(Buffer.concat([Buffer.from(join(output, "layers/")), name]));
    await expect(collect(output)).rejects.toMatchObject({ code: "output-name-invalid" });
  });

  it("refuses two layers of one name in one place, and takes them in two", async () => {
    const output = writeFiles(createDirectory(), { "layers/01-a/x": "x", "layers/1-a.tar": "x" });
    await expect(collect(output)).rejects.toMatchObject({ code: "layer-name-twice" });
    rmSync(join(output, "layers/1-a.tar"));
    writeFiles(output, { "layers/2-a/y": "y" });
    expect(layersOf(await collect(output)).map(({ name }) => name)).toEqual(["a", "a"]);
  });

  it("takes a tree whose paths are no UTF-8, long, and hold new lines", async () => {
    const output = writeFiles(createDirectory(), { [`layers/a/${"long/".repeat(60)}x\ny`]: "1" });
    writeFileSync(
      Buffer.concat([Buffer.from(join(output, "layers/a/")), Buffer.from([0xff, 0xfe])]),
      "2",
    );
    const [layer] = layersOf(await collect(output, { compression: "none" }));
    const list = execFileSync("tar", ["--quoting-style=literal", "-tf", layer?.blob?.path ?? ""]);
    expect(list.includes(Buffer.from("x\ny"))).toBe(true);
    expect(list.includes(Buffer.from([0xff, 0xfe]))).toBe(true);
  });
});

describe("files with several names", () => {
  it("copies a blob, whatever other names it has, to a file of its own", async () => {
    const output = createDirectory();
    const [name] = writeBlobs(output, makeTar(writeFiles(createDirectory(), { a: "a" })));
    const blob = join(output, "blobs/sha256", name?.slice(7) ?? "");
    linkSync(blob, join(output, "other-name"));
    writeFiles(output, { "history.json": JSON.stringify([{ created_by: "a", digest: name }]) });
    const [layer] = layersOf(await collect(output));
    writeFileSync(join(output, "other-name"), "changed");
    expect(digestOf(readFileSync(layer?.blob?.path ?? ""))).toBe(name);
  });
});

describe("what nobody listed", () => {
  it.each([
    [
      "a blob",
      {
        "history.json": '[{"created_by":"a","path":"layers/a"}]',
        "layers/a/x": "x",
        [`blobs/sha256/${digest.slice(7)}`]: "x",
      },
    ],
    [
      "a blob without a history file",
      { "layers/a/x": "x", [`blobs/sha256/${digest.slice(7)}`]: "x" },
    ],
    [
      "a loose layer",
      {
        "history.json": '[{"created_by":"a","path":"layers/a"}]',
        "layers/a/x": "x",
        "layers/b/x": "x",
      },
    ],
    [
      "a keep file",
      {
        "history.json": '[{"created_by":"a","path":"layers/a"}]',
        "layers/a/x": "x",
        "layers/b.keep": "",
      },
    ],
  ])("refuses %s", async (_what, files) => {
    const output = writeFiles(createDirectory(), files);
    await expect(collect(output)).rejects.toMatchObject({ code: "output-not-listed" });
  });

  it.each([
    ["nothing", {}, /layers is empty$/, "output/layers"],
    ["an empty history", { "history.json": "[]" }, /history\.json lists none$/, "output/layers"],
    ["a file beside trees", { "layers/x.txt": "" }, /layers\/x\.txt \(file\)$/, ".tar"],
    ["a nested output", { "output/layers/a/x": "" }, /output\/output \(directory\)$/, "itself"],
    [
      "a tree in a wrong place",
      { "bash/bin/sh": "" },
      /output\/bash \(directory\)$/,
      "layers/NAME",
    ],
    ["a blob in a wrong place", { "blobs/0123": "" }, /output\/blobs\/0123 \(file\)$/, "sha256"],
    [
      "many files",
      Object.fromEntries(["a", "b", "c", "d", "e", "f", "g"].map((name) => [name, ""])),
      /output\/e \(file\), and 2 more$/,
      "layers/NAME",
    ],
    [
      "what the helper notes",
      { ".layer-unknown": "a\n", ".layer-tar": "gnu\n" },
      /layers is empty$/,
      "output/layers",
    ],
  ])("says what it found instead of layers: %s", async (_what, files, message, hint) => {
    const output = writeFiles(createDirectory(), files);
    await expect(collect(output)).rejects.toMatchObject({
      code: "layers-none",
      message: expect.stringMatching(message),
      hint: expect.stringContaining(hint),
    });
  });

  it.each([
    ["no layers", {}, {}, "layers-none"],
    ["an empty history", { "history.json": "[]" }, {}, "layers-none"],
    [
      "too many layers",
      { "layers/a/x": "", "layers/b/x": "" },
      { maxLayers: 1 },
      "layers-too-many",
    ],
    [
      "too many with those below",
      { "layers/a/x": "" },
      { maxLayers: 3, baseLayers: 3 },
      "layers-too-many",
    ],
    ["a name to keep that is not there", { "layers/a.keep": "" }, {}, "layer-name-unknown"],
    [
      "a digest that nobody has",
      { "history.json": JSON.stringify([{ created_by: "a", digest }]) },
      {},
      "layer-digest-unknown",
    ],
    [
      "a path that is not there",
      { "history.json": '[{"created_by":"a","path":"layers/../../etc"}]' },
      {},
      "layer-path-unknown",
    ],
    [
      "an absolute path",
      { "history.json": '[{"created_by":"a","path":"/etc"}]' },
      {},
      "layer-path-unknown",
    ],
  ])("refuses %s", async (_what, files, options, code) => {
    const output = writeFiles(createDirectory(), files);
    await expect(collect(output, options)).rejects.toMatchObject({ code });
    expect(readdirSync(output).length).toBe(
      new Set(Object.keys(files).map((name) => name.split("/")[0])).size,
    );
  });

  it("takes an image of the layers below alone", async () => {
    expect(await collect(createDirectory(), { baseLayers: 1 })).toMatchObject({
      entries: [],
      state: undefined,
    });
  });

  it.each([
    ["diff_id", digestOf(Buffer.from("y")), "layer-diff-id-mismatch"],
    ["size", 7, "layer-size-mismatch"],
    ["mediaType", "application/vnd.oci.image.layer.v1.tar+zstd", "layer-media-type-mismatch"],
    ["mediaType", "text/plain", "layer-media-type-mismatch"],
  ])("refuses a %s that is not true", async (key, value, code) => {
    const output = createDirectory();
    const previous = [createPrevious([{ name: "a", digest, diffId: digest, size: 1 }])];
    writeFiles(output, {
      "history.json": JSON.stringify([{ created_by: "a", digest, [key]: value }]),
    });
    await expect(collect(output, { previous })).rejects.toMatchObject({ code });
    const [own] = writeBlobs(output, makeTar(writeFiles(createDirectory(), { a: "a" })));
    writeFiles(output, {
      "history.json": JSON.stringify([{ created_by: "a", digest: own, [key]: value }]),
    });
    await expect(collect(output)).rejects.toMatchObject({ code });
  });
});
