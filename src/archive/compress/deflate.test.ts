import { describe, expect, it } from "vitest";
import { createWorkerDeflate, deflateBlock, deflateInPool } from "./deflate.ts";

const blocks = Array.from({ length: 20 }, (_, index) => {
  const block = Buffer.from(new SharedArrayBuffer(64 * 1024 + index));
  for (let i = 0; i < block.length; i++) block[i] = (i * i * (index + 1)) % 97;
  return block;
});

describe("deflateBlock", () => {
  it("gives the same bytes in Node's pool, in threads of our own, and however many they are", async () => {
    const dictionaries = [undefined, ...blocks.map((block) => Buffer.from(block.subarray(-32768)))];
    const expected = await Promise.all(
      blocks.map((block, i) => deflateInPool(block, dictionaries[i])),
    );
    for (const deflate of [deflateBlock, createWorkerDeflate(1), createWorkerDeflate(5)]) {
      const all = await Promise.all(blocks.map((block, i) => deflate(block, dictionaries[i])));
      expect(all.map((bytes) => bytes.toString("hex"))).toEqual(
        expected.map((bytes) => bytes.toString("hex")),
      );
    }
  });

  it("fails where a block cannot be compressed, and goes on with the next", async () => {
    const deflate = createWorkerDeflate(1);
    const wrong: Buffer = Object.create(null);
    const outcomes = await Promise.allSettled([
      deflate(wrong, undefined),
      deflate(wrong, undefined),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await expect(deflate(Buffer.from("a"), undefined)).resolves.toBeDefined();
  });
});
