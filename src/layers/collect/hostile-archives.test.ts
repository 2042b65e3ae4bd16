import { readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  collect,
  compress,
  createDirectory,
  writeBlobs,
  writeFiles,
} from "../../../test/support/layers/fixtures.ts";
import { rawEntry, rawPax, rawTar } from "../../../test/support/layers/raw-tar.ts";

const file = rawEntry({ name: "a", data: "a" });
const directory = rawEntry({ name: "d/", type: "5" });

/** What is wrong, the archive, and the code that refuses it. */
const broken: readonly (readonly [string, Buffer, string])[] = [
  ["nothing", Buffer.alloc(0), "layer-tar-truncated"],
  ["no end", file, "layer-tar-truncated"],
  ["half of the end", Buffer.concat([file, Buffer.alloc(512)]), "layer-tar-truncated"],
  ["cut data", rawEntry({ name: "a", data: "a", size: 2000 }), "layer-tar-truncated"],
  ["cut header", Buffer.concat([file, file.subarray(0, 100)]), "layer-tar-truncated"],
  [
    "a zero block inside",
    Buffer.concat([file, Buffer.alloc(512), rawTar(directory)]),
    "layer-tar-trailing-data",
  ],
  [
    "text behind the end",
    Buffer.concat([rawTar(file), Buffer.from("x".repeat(512))]),
    "layer-tar-trailing-data",
  ],
  [
    "an archive behind the end",
    Buffer.concat([rawTar(file), rawTar(directory)]),
    "layer-tar-trailing-data",
  ],
  [
    "2 MiB of zeros behind the end",
    Buffer.concat([rawTar(file), Buffer.alloc(2 * 1024 ** 2)]),
    "layer-tar-trailing-data",
  ],
  [
    "half a block behind the end",
    Buffer.concat([rawTar(file), Buffer.alloc(100)]),
    "layer-tar-trailing-data",
  ],
  ["a wrong checksum", rawTar(rawEntry({ checksum: "000001\0 " })), "layer-tar-broken"],
  ["a size that is no number", rawTar(rawEntry({ size: "12x45" })), "layer-tar-broken"],
  ["a negative size", rawTar(rawEntry({ size: "\u00ff".repeat(12) })), "layer-tar-broken"],
  ["a huge size", rawTar(rawEntry({ size: `\u0080${"\u007f".repeat(11)}` })), "layer-tar-broken"],
  ["text that is no archive", Buffer.from("hello ".repeat(300)), "layer-tar-broken"],
  ["an unknown type", rawTar(rawEntry({ type: "Z" })), "layer-tar-entry-type"],
  ["a multi-volume part", rawTar(rawEntry({ type: "M" })), "layer-tar-entry-type"],
  [
    "a global header with a path",
    rawTar(rawPax([["path", "b"]], "g"), file),
    "layer-tar-entry-type",
  ],
  [
    "a file named like a directory",
    rawTar(rawEntry({ name: "a/", data: "x" })),
    "layer-tar-entry-type",
  ],
  ["a PAX size that differs", rawTar(rawPax([["size", "2"]]), file), "layer-tar-size-mismatch"],
  ["a PAX size of 0", rawTar(rawPax([["size", "0"]]), file), "layer-tar-size-mismatch"],
  ["a PAX size that is no number", rawTar(rawPax([["size", "-1"]]), file), "layer-tar-broken"],
  [
    "a directory with a size",
    rawTar(rawEntry({ name: "d/", type: "5", data: "x" })),
    "layer-tar-size-mismatch",
  ],
  [
    "a symbolic link with data",
    rawTar(rawEntry({ type: "2", link: "a", data: "x" })),
    "layer-tar-size-mismatch",
  ],
  [
    "a PAX record twice",
    rawTar(
      rawPax([
        ["path", "b"],
        ["path", "c"],
      ]),
      file,
    ),
    "layer-tar-broken",
  ],
  [
    "a PAX record too long",
    rawTar(rawEntry({ type: "x", data: "99 path=b\n" }), file),
    "layer-tar-broken",
  ],
  [
    "a PAX record without key",
    rawTar(rawEntry({ type: "x", data: "6 =bc\n" }), file),
    "layer-tar-broken",
  ],
  [
    "a PAX record without end",
    rawTar(rawEntry({ type: "x", data: "9 path=bc" }), file),
    "layer-tar-broken",
  ],
  [
    "two PAX headers",
    rawTar(rawPax([["path", "b"]]), rawPax([["path", "c"]]), file),
    "layer-tar-broken",
  ],
  ["a PAX header before the end", rawTar(rawPax([["path", "b"]])), "layer-tar-broken"],
  [
    "a huge PAX header",
    rawTar(rawEntry({ type: "x", data: Buffer.alloc(2 * 1024 ** 2) }), file),
    "layer-tar-broken",
  ],
  ["a NUL in a PAX path", rawTar(rawPax([["path", "b\0c"]]), file), "layer-tar-broken"],
  [
    "two long names",
    rawTar(rawEntry({ type: "L", data: "b\0" }), rawPax([["path", "c"]]), file),
    "layer-tar-broken",
  ],
  [
    "a path longer than 4095",
    rawTar(rawPax([["path", "b/".repeat(2100) + "c"]]), file),
    "layer-tar-broken",
  ],
  ["no path", rawTar(rawEntry({ name: "" })), "layer-tar-broken"],
  ["a path ..", rawTar(rawEntry({ name: "../a" })), "layer-tar-path-escape"],
  ["a path with .. inside", rawTar(rawEntry({ name: "a/../../b" })), "layer-tar-path-escape"],
  ["a PAX path with ..", rawTar(rawPax([["path", "x/.."]]), file), "layer-tar-path-escape"],
  [
    "a hard link to an absolute path",
    rawTar(rawEntry({ type: "1", link: "/etc/shadow" })),
    "layer-tar-path-escape",
  ],
  [
    "a hard link to ..",
    rawTar(rawEntry({ type: "1", link: "../../etc/shadow" })),
    "layer-tar-path-escape",
  ],
  [
    "a hard link to nothing",
    rawTar(rawEntry({ type: "1", link: "b" }), file),
    "layer-tar-link-target",
  ],
  [
    "a hard link to what follows",
    rawTar(rawEntry({ type: "1", link: "a" }), file),
    "layer-tar-link-target",
  ],
  ["a hard link to itself", rawTar(rawEntry({ type: "1", link: "file" })), "layer-tar-link-target"],
  [
    "a hard link to a directory",
    rawTar(directory, rawEntry({ type: "1", link: "d" })),
    "layer-tar-link-target",
  ],
  ["a path twice", rawTar(file, file), "layer-tar-duplicate-path"],
  ["a path twice, spelled ./", rawTar(file, rawEntry({ name: "./a" })), "layer-tar-duplicate-path"],
  ["a path twice, spelled /", rawTar(file, rawEntry({ name: "/a" })), "layer-tar-duplicate-path"],
  [
    "a path twice, spelled with slashes",
    rawTar(rawEntry({ name: "b/c" }), rawEntry({ name: "b//c" })),
    "layer-tar-duplicate-path",
  ],
  ["a directory twice", rawTar(directory, directory), "layer-tar-duplicate-path"],
  [
    "a file and a directory",
    rawTar(rawEntry({ name: "d" }), directory),
    "layer-tar-duplicate-path",
  ],
  [
    "a path through a link",
    rawTar(rawEntry({ name: "l", type: "2", link: "/etc" }), rawEntry({ name: "l/passwd" })),
    "layer-tar-path-through-link",
  ],
  [
    "a path through a link, later",
    rawTar(rawEntry({ name: "l/passwd" }), rawEntry({ name: "l", type: "2", link: "/etc" })),
    "layer-tar-path-through-link",
  ],
  [
    "a path through a file",
    rawTar(file, rawEntry({ name: "a/b/c" })),
    "layer-tar-path-through-link",
  ],
  ["a bare whiteout", rawTar(rawEntry({ name: "d/.wh." })), "layer-tar-whiteout"],
  ["a whiteout of .", rawTar(rawEntry({ name: "d/.wh.." })), "layer-tar-whiteout"],
  ["a whiteout of ..", rawTar(rawEntry({ name: "d/.wh..." })), "layer-tar-whiteout"],
  ["a whiteout with content", rawTar(rawEntry({ name: ".wh.a", data: "x" })), "layer-tar-whiteout"],
  [
    "a whiteout that is a link",
    rawTar(rawEntry({ name: ".wh.a", type: "2", link: "/" })),
    "layer-tar-whiteout",
  ],
  ["a path in a whiteout", rawTar(rawEntry({ name: ".wh.a/b" })), "layer-tar-whiteout"],
  ["an AUFS file", rawTar(rawEntry({ name: ".wh..wh.plnk" })), "layer-tar-whiteout"],
  ["a character device", rawTar(rawEntry({ type: "3" })), "layer-tar-device"],
  ["a block device", rawTar(rawEntry({ type: "4" })), "layer-tar-device"],
  [
    "a sparse file of an unknown version",
    rawTar(
      rawPax([
        ["GNU.sparse.major", "2"],
        ["GNU.sparse.realsize", "9"],
      ]),
      file,
    ),
    "layer-tar-broken",
  ],
  [
    "a sparse map out of order",
    rawTar(
      rawPax([
        ["GNU.sparse.map", "5,1,0,0"],
        ["GNU.sparse.size", "9"],
      ]),
      file,
    ),
    "layer-tar-broken",
  ],
  [
    "a sparse map beyond its file",
    rawTar(
      rawPax([
        ["GNU.sparse.map", "9,1"],
        ["GNU.sparse.size", "9"],
      ]),
      file,
    ),
    "layer-tar-broken",
  ],
  [
    "a sparse map of a wrong sum",
    rawTar(
      rawPax([
        ["GNU.sparse.map", "0,5"],
        ["GNU.sparse.size", "9"],
      ]),
      file,
    ),
    "layer-tar-broken",
  ],
  [
    "a sparse map of nonsense",
    rawTar(
      rawPax([
        ["GNU.sparse.map", "x"],
        ["GNU.sparse.size", "9"],
      ]),
      file,
    ),
    "layer-tar-broken",
  ],
];

const forms: readonly (readonly [string, (tar: Buffer) => string])[] = [
  ["blob", (tar) => writeExact(tar)],
  ["gzip blob", (tar) => writeExact(gzipSync(tar))],
  ["zstd blob", (tar) => writeExact(compress("zstd", tar))],
  ["loose archive", (tar) => writeFiles(createDirectory(), { "layers/a.tar": tar })],
  ["loose gzip", (tar) => writeFiles(createDirectory(), { "layers/a.tar.gz": gzipSync(tar) })],
];

function writeExact(blob: Buffer): string {
  const output = createDirectory();
  const [digest] = writeBlobs(output, blob);
  return writeFiles(output, { "history.json": JSON.stringify([{ created_by: "a", digest }]) });
}

describe.each(forms)("as a %s", (_form, write) => {
  it.each(broken)("refuses an archive with %s", async (_what, tar, code) => {
    const staging = createDirectory();
    await expect(collect(write(tar), { staging })).rejects.toMatchObject({ code });
    expect(readdirSync(staging)).toEqual([]);
  });
});

describe("archives that are fine", () => {
  it.each([
    ["a padded one", Buffer.concat([rawTar(file), Buffer.alloc(1024 ** 2)])],
    ["an old directory", rawTar(rawEntry({ name: "d/", type: "\0", magic: "" }))],
    ["a comment of git", rawTar(rawPax([["comment", "0123"]], "g"), file)],
    [
      "a whiteout and an opaque directory",
      rawTar(rawEntry({ name: ".wh.a" }), rawEntry({ name: "d/.wh..wh..opq" })),
    ],
    ["a directory after what is in it", rawTar(rawEntry({ name: "d/a" }), directory)],
    [
      "a link with .. and an absolute one",
      rawTar(
        rawEntry({ type: "2", link: "../../x" }),
        rawEntry({ name: "b", type: "2", link: "/x" }),
      ),
    ],
    [
      "a hard link to a link",
      rawTar(rawEntry({ name: "l", type: "2", link: "x" }), rawEntry({ type: "1", link: "l" })),
    ],
    ["a FIFO", rawTar(rawEntry({ type: "6" }))],
    ["a size that both say", rawTar(rawPax([["size", "1"]]), file)],
    ["a name of no UTF-8", rawTar(rawEntry({ name: "\u00ff\u00fe" }))],
    ["a record with digits that carry", rawTar(rawPax([["comment", "x".repeat(87)]]), file)],
  ])("takes %s", async (_what, tar) => {
    for (const [, write] of forms) await expect(collect(write(tar))).resolves.toBeDefined();
  });

  it("takes devices with allowDevices", async () => {
    const tar = rawTar(rawEntry({ type: "3" }));
    await expect(collect(writeExact(tar), { allowDevices: true })).resolves.toBeDefined();
  });
});
