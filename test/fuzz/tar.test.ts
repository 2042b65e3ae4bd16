import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { ArchivedEntry } from "../../src/archive/tar/entry.ts";
import { createTarReader } from "../../src/archive/tar/reader.ts";
import { rawEntry, rawPax, rawTar } from "../support/layers/raw-tar.ts";
import { cutPieces, fuzz, fuzzTimeout, judge, mutate, runs } from "./harness.ts";

const archives = [
  rawTar(
    rawEntry({ name: "etc/", type: "5", mode: 0o755 }),
    rawEntry({ name: "etc/passwd", data: "root:x:0:0\n" }),
    rawEntry({ name: "etc/link", type: "2", link: "passwd" }),
    rawEntry({ name: "etc/hard", type: "1", link: "etc/passwd" }),
  ),
  rawTar(
    rawPax([
      ["path", `deep/${"d".repeat(200)}`],
      ["mtime", "1.5"],
      ["SCHILY.xattr.user.a", "v"],
    ]),
    rawEntry({ name: "short", data: "x".repeat(700) }),
  ),
  rawTar(
    rawEntry({ name: "././@LongLink", type: "L", data: `${"n".repeat(300)}\0` }),
    rawEntry({ name: "cut", data: "y" }),
    rawEntry({ name: "null", type: "3" }),
    rawEntry({ name: "fifo", type: "6" }),
  ),
  rawTar(
    rawPax([
      ["GNU.sparse.major", "1"],
      ["GNU.sparse.minor", "0"],
      ["GNU.sparse.realsize", "4096"],
    ]),
    rawEntry({ name: "sparse", data: `1\n0\n4\n${"\0".repeat(504)}data` }),
  ),
  rawTar(),
];
const tokens = [
  "../",
  "/",
  "..",
  "\0",
  "\x80\xff\xff\xff\xff\xff\xff\xff",
  "7777777777777",
  "9",
  "-1",
  ".wh..wh..opq",
  "ustar  \0",
  "x",
  "g",
  "L",
  "S",
];

function read(pieces: readonly Buffer[]): readonly ArchivedEntry[] {
  const entries: ArchivedEntry[] = [];
  const reader = createTarReader("blob", (entry) => entries.push(entry));
  for (const piece of pieces) reader.write(Buffer.from(piece));
  reader.end();
  return entries;
}

function isOutside({ path }: ArchivedEntry): boolean {
  return (
    path.startsWith("/") ||
    path.split("/").some((name) => name === ".." || name === ".") ||
    path.includes("\0")
  );
}

test(
  "an archive is read or refused, however it comes in pieces, and leads nowhere else",
  async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 1500 }), { maxLength: 6 });
    const input = fc.tuple(mutate(archives, tokens), sizes);
    let accepted = 0;
    await fuzz(input, async ([bytes, cuts]) => {
      const whole = await judge(() => read([bytes]), /^layer-tar-/);
      expect(await judge(() => read(cutPieces(bytes, cuts)), /^layer-tar-/)).toEqual(whole);
      accepted += whole.value === undefined ? 0 : 1;
      for (const entry of whole.value ?? []) {
        expect([entry.path, isOutside(entry)]).toEqual([entry.path, false]);
        expect(Number.isSafeInteger(entry.size) && entry.size >= 0).toBe(true);
      }
    });
    // Else nothing would have been tried of what comes behind the first check.
    expect(accepted).toBeGreaterThan(0);
  },
  fuzzTimeout,
);

/** Entries whose checksums are right, so that what is odd in them is looked at. */
const odd = fc.constantFrom(
  "a",
  "a/b",
  "./a",
  "/a",
  "a//b",
  "a/../b",
  "..",
  ".",
  "",
  "a/",
  ".wh.a",
  ".wh..wh..opq",
  "a\0b",
  "\xff",
  "a".repeat(100),
);
const oddEntry = fc
  .record(
    {
      name: odd,
      link: odd,
      type: fc.constantFrom(..."012345678gxLKSVM\0\n".split("")),
      size: fc.oneof(
        fc.nat({ max: 2000 }),
        fc.constantFrom("-1", "777777777777", "\x80\0\0\0\0\0\0\0\0\0\x01\0", "9", "", " 12 "),
      ),
      mode: fc.nat({ max: 0o177777 }),
      uid: fc.nat({ max: 0o7777777 }),
      data: fc.constantFrom(
        "",
        "x",
        "5 a=\n",
        "30 mtime=9e99\n",
        "18 path=../../etc\n",
        "11 size=-1\n",
        "x".repeat(700),
      ),
      magic: fc.constantFrom("ustar\u{0}00", "ustar  \0", "", "nonsense"),
      patches: fc.constantFrom({}, { 345: "prefix" }, { 345: "../.." }, { 386: "77777777777" }),
    },
    { requiredKeys: [] },
  )
  .map((entry) => rawEntry(entry));

test(
  "entries with right checksums and odd fields are read or refused, and lead nowhere else",
  async () => {
    const input = fc.array(oddEntry, { maxLength: 5 });
    let accepted = 0;
    await fuzz(input, async (entries) => {
      const { value } = await judge(() => read([rawTar(...entries)]), /^layer-tar-/);
      accepted += value === undefined ? 0 : 1;
      expect((value ?? []).filter(isOutside)).toEqual([]);
    });
    expect(accepted).toBeGreaterThan(runs / 100);
  },
  fuzzTimeout,
);
