import { availableParallelism } from "node:os";
import { setImmediate } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { createGzip, type Compressor } from "./gzip.ts";

const block = Buffer.alloc(64 * 1024, "layer");

/** Gives it blocks until it holds back. @returns how many it took */
async function fill(compressor: Compressor): Promise<number> {
  for (let taken = 0; ; taken += 1) {
    const ready = compressor.ready().then(() => true);
    if (!(await Promise.race([ready, setImmediate(false)]))) return taken;
    compressor.take(Buffer.from(block));
  }
}

test("layers side by side hold few more blocks than one alone, and all of them end", async () => {
  const gate: (() => void)[] = [];
  const opened = new Promise<void>((resolve) => void gate.push(resolve));
  const written = [0, 1, 2, 3].map((): Buffer[] => []);
  const compressors = written.map((chunks) =>
    createGzip(async (bytes) => {
      await opened;
      chunks.push(Buffer.from(bytes));
    }),
  );
  const counts: number[] = [];
  for (const one of compressors) counts.push(await fill(one));
  expect(Math.min(...counts)).toBeGreaterThanOrEqual(2);
  const cores = availableParallelism();
  expect(counts.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(cores + 8);
  for (const open of gate) open();
  for (const one of compressors) await one.end();
  expect(written.map((chunks) => gunzipSync(Buffer.concat(chunks)).length)).toEqual(
    counts.map((count) => count * block.length),
  );
});
