import { releaseBlock } from "../pack/blocks.ts";
import type { Compressor } from "./gzip.ts";

/** No compression: blocks are written as they are. */
export function createPlain(write: (bytes: Buffer) => Promise<void>): Compressor {
  const state: { last: Promise<void> } = { last: Promise.resolve() };
  return {
    take: (block) => {
      const written = writeBlock(state.last, write, block);
      written.catch(() => undefined);
      state.last = written;
    },
    ready: () => state.last,
    end: () => state.last,
    stop: async () => {
      await Promise.allSettled([state.last]);
    },
  };
}

async function writeBlock(
  before: Promise<void>,
  write: (bytes: Buffer) => Promise<void>,
  block: Buffer,
): Promise<void> {
  await before;
  await write(block);
  releaseBlock(block);
}
