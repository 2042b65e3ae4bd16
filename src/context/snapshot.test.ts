import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { withTemporaryDirectory } from "../../test/support/images.ts";
import type { Known } from "./block-layout.ts";
import { saveSnapshot } from "./cache.ts";
import { trust } from "./entry.ts";
import { recordSnapshot } from "./record.ts";
import { createSnapshot, openSnapshot, type Snapshot } from "./snapshot.ts";

const [file, link] = [0o100644, 0o120777];

/** A digest, one with attributes, what cannot be read, a link that goes anywhere; names of every kind. */
function createKnown(at: number): Known {
  const digest = at.toString(16).padStart(64, "0");
  const contents = [digest, `${digest} ${digest}`, "unreadable 1 2", "\uDCE9/x"];
  const path = `dir${at >> 7}/${String(at).padStart(7, "0")}${["", "é", "😀", "\uDCFF"][at & 3] ?? ""}`;
  return {
    entry: {
      path,
      mode: at % 5 === 3 ? link : file,
      uid: at,
      gid: 2 ** 32 - 1 - at,
      dev: at & 7,
      ino: 2 ** 40 + at,
      size: at * 1000,
      mtimeMs: 1_700_000_000_000.125 + at,
      ctimeMs: 1_700_000_000_000.5 + at,
      isLinked: at % 3 === 0,
    },
    content: contents[at % 5] ?? digest,
    trust: at % 2 === 0 ? trust.settled : trust.none,
  };
}

function record(count: number): readonly [Snapshot, readonly Known[]] {
  const known = Array.from({ length: count }, (_, at) => createKnown(at));
  const recording = recordSnapshot({ withOwners: false, rules: "all" }, undefined);
  for (const one of known) recording.add(one);
  return [recording.finish(), known];
}

function listKnown({ blocks }: Snapshot): readonly Known[] {
  return Array.from(blocks(), (block) =>
    Array.from({ length: block.count }, (_, at) => block.knownAt(at)),
  ).flat();
}

test.each([0, 1, 1024, 5000, 60_000])(
  "%d entries come back as they were, from a file too",
  (count) =>
    withTemporaryDirectory(async (temporary) => {
      const [snapshot, known] = record(count);
      expect(listKnown(snapshot)).toEqual(known);
      const path = join(temporary, "new", "cache");
      saveSnapshot(path, snapshot);
      const opened = openSnapshot(path);
      expect(opened).toMatchObject({ digest: snapshot.digest, count, rules: "all" });
      expect(opened && listKnown(opened)).toEqual(known);
    }),
);

test("of a file with another byte anywhere, only what stands before it is believed", () =>
  withTemporaryDirectory(async (temporary) => {
    const [snapshot, known] = record(3000);
    const path = join(temporary, "cache");
    saveSnapshot(path, snapshot);
    const whole = await readFile(path);
    const place = fc.integer({ min: 0, max: whole.length - 1 });
    await fc.assert(
      fc.asyncProperty(place, fc.integer({ min: 1, max: 255 }), async (at, other) => {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] ?? 0) ^ other;
        await writeFile(path, bytes);
        const opened = openSnapshot(path);
        const found = opened === undefined ? [] : listKnown(opened);
        expect(found.length).toBeLessThan(known.length);
        expect(found).toEqual(known.slice(0, found.length));
      }),
      { numRuns: 100, seed: 3 },
    );
  }));

test("however long it is, a snapshot is read and written in pieces of a megabyte at most", () => {
  const [snapshot] = record(60_000);
  const bytes = Buffer.concat(Array.from(snapshot.pieces(), (piece) => Buffer.from(piece)));
  let longest = 0;
  const read = (buffer: Uint8Array, at: number): boolean => {
    longest = Math.max(longest, buffer.length);
    buffer.set(bytes.subarray(at, at + buffer.length));
    return true;
  };
  const counted = createSnapshot(snapshot, { length: bytes.length - 256, read });
  expect(listKnown(counted)).toHaveLength(60_000);
  for (const piece of counted.pieces()) expect(piece.length).toBeLessThanOrEqual(1024 * 1024);
  expect(bytes.length).toBeGreaterThan(4 * longest);
  expect(longest).toBeLessThanOrEqual(1024 * 1024);
});

test("where it cannot be written, nothing is left of it", () =>
  withTemporaryDirectory(async (temporary) => {
    await mkdir(join(temporary, "cache"));
    saveSnapshot(join(temporary, "cache"), record(10)[0]);
    expect(openSnapshot(join(temporary, "cache"))).toBeUndefined();
  }));
