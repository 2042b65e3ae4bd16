import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createExpander, detectCompression } from "../../src/archive/compress/expand.ts";
import { createFrameScanner } from "../../src/archive/compress/zstd-frames.ts";
import { compress } from "../support/layers/fixtures.ts";
import { cutPieces, fuzz, fuzzTimeout, judge, mutate, runs } from "./harness.ts";

const text = Buffer.from("what a layer has ".repeat(200));
const gzips = [gzipSync(text), gzipSync(""), Buffer.concat([gzipSync("one"), gzipSync("two")])];
const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
const zstds = [
  compress("zstd", text),
  compress("zstd", Buffer.alloc(0)),
  Buffer.concat([skippable, compress("zstd", text)]),
];
const tokens = ["\x1f\x8b", "\x28\xb5\x2f\xfd", "\x50\x2a\x4d\x18", "\xff\xff\xff\xff", "\0\0\0\0"];
const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 5 });

async function expand(pieces: readonly Buffer[], first: Buffer): Promise<Buffer> {
  const output: Buffer[] = [];
  const expander = createExpander(detectCompression(first), "blob", (bytes) => {
    output.push(Buffer.from(bytes));
  });
  try {
    for (const piece of pieces) await expander.write(piece);
    await expander.end();
    return Buffer.concat(output);
  } finally {
    await expander.stop();
  }
}

const refusals = /^layer-compression-(?:broken|trailing-data)$/;

test(
  "gzip: what comes out is what went in, or it is refused; pieces make no difference",
  async () => {
    const tried = await fuzz(fc.tuple(mutate(gzips, tokens), sizes), async ([bytes, cuts]) => {
      const whole = await judge(() => expand([bytes], bytes), refusals);
      const pieces = await judge(() => expand(cutPieces(bytes, cuts), bytes), refusals);
      expect(pieces).toEqual(whole);
    });
    expect(tried).toBeGreaterThanOrEqual(runs);
  },
  fuzzTimeout,
);

/** A scanner that throws has found what is no frame. */
function scan(pieces: readonly Buffer[]): readonly number[] | "refused" {
  const scanner = createFrameScanner();
  let inFrames = 0;
  let frames = 0;
  try {
    for (const piece of pieces) {
      for (const part of scanner.scan(piece)) {
        expect(part.start >= 0 && part.start <= part.end && part.end <= piece.length).toBe(true);
        inFrames += part.end - part.start;
        frames += part.isLast ? 1 : 0;
      }
    }
  } catch (error) {
    if (error instanceof Error && /^(?:what follows|a block)/.test(error.message)) return "refused";
    throw error;
  }
  return [inFrames, frames, scanner.isComplete() ? 1 : 0];
}

test(
  "zstd: frames are found where they are, in whatever pieces",
  async () => {
    const tried = await fuzz(fc.tuple(mutate(zstds, tokens), sizes), ([bytes, cuts]) => {
      expect(scan(cutPieces(bytes, cuts))).toEqual(scan([bytes]));
    });
    expect(tried).toBeGreaterThanOrEqual(runs);
  },
  fuzzTimeout,
);

test(
  "zstd: what comes out is what went in, or it is refused",
  async () => {
    // Each case is a program that is started, where Node has no zstd of its own.
    const tried = await fuzz(
      mutate(zstds, tokens),
      async (bytes) => {
        await judge(() => expand([bytes], bytes), refusals);
      },
      0.05,
    );
    expect(tried).toBeGreaterThanOrEqual(runs * 0.05);
  },
  fuzzTimeout,
);
