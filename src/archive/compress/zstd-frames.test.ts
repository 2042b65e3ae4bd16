import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFrameScanner, frameStart } from "./zstd-frames.ts";

function zstd(bytes: Buffer, ...args: readonly string[]): Buffer {
  return execFileSync("zstd", ["-q", "-c", ...args], { input: bytes, maxBuffer: 1024 ** 3 });
}

function skippable(length: number): Buffer {
  const frame = Buffer.alloc(8 + length, 0x28);
  frame.writeUInt32LE(0x184d2a5f, 0);
  frame.writeUInt32LE(length, 4);
  return frame;
}

const noise = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i * 31) % 251));
const frames = [
  zstd(Buffer.from("small")),
  zstd(Buffer.alloc(0)),
  zstd(noise),
  zstd(noise, "--no-check", "-19"),
  zstd(Buffer.alloc(3_000_000, 7)),
  zstd(noise.subarray(0, 200), "--no-content-size"),
];

/** What the scanner takes for frames, put together again. */
function splitFrames(chunks: readonly Buffer[]): { found: readonly string[]; isComplete: boolean } {
  const scanner = createFrameScanner();
  const found: string[] = [];
  let parts: Buffer[] = [];
  for (const chunk of chunks) {
    for (const { start, end, isLast } of scanner.scan(chunk)) {
      parts.push(chunk.subarray(start, end));
      if (!isLast) continue;
      found.push(Buffer.concat([frameStart, ...parts]).toString("hex"));
      parts = [];
    }
  }
  return { found, isComplete: scanner.isComplete() };
}

function cut(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const sorted = places.map((place) => place % bytes.length).sort((a, b) => a - b);
  return [0, ...sorted].map((at, index) => bytes.subarray(at, sorted[index] ?? bytes.length));
}

describe("createFrameScanner", () => {
  it("finds each frame, however the stream is cut into chunks", () => {
    const some = fc.array(fc.nat({ max: frames.length }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(some, fc.array(fc.nat(), { maxLength: 20 }), (picks, places) => {
        const picked = picks.map((pick) => frames[pick] ?? skippable(pick * 7));
        const expected = picks.flatMap((pick) => frames[pick]?.toString("hex") ?? []);
        const outcome = splitFrames(cut(Buffer.concat(picked), places));
        expect(outcome).toEqual({ found: expected, isComplete: true });
      }),
    );
  });

  it("finds each frame byte by byte", () => {
    const all = Buffer.concat([
      skippable(0),
      zstd(Buffer.from("a")),
      skippable(3),
      zstd(Buffer.from("b")),
    ]);
    const { found } = splitFrames(
      cut(
        all,
        Array.from({ length: all.length }, (_, i) => i),
      ),
    );
    expect(found.length).toBe(2);
  });

  it("knows where a stream may not end", () => {
    const [frame = Buffer.alloc(0)] = frames;
    for (let length = 1; length < frame.length; length++) {
      expect(splitFrames([frame.subarray(0, length)]).isComplete).toBe(false);
    }
  });

  it.each([
    ["text", Buffer.from("text behind")],
    ["zeros", Buffer.alloc(9)],
    ["another format", Buffer.from([0x1f, 0x8b, 8, 0])],
  ])("refuses %s behind a frame", (_what, bytes) => {
    const scanner = createFrameScanner();
    expect(() => scanner.scan(Buffer.concat([zstd(Buffer.from("a")), bytes]))).toThrow(
      "not a frame",
    );
  });
});
