import { availableParallelism } from "node:os";
import { crc32 } from "node:zlib";
import { releaseBlock } from "../pack/blocks.ts";
import type { BlockConsumer } from "../pack/stream.ts";
import { deflateBlock } from "./deflate.ts";

/** RFC 1952: deflate, no flags, no time, no extra flags, unknown system. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
/** RFC 1951: a last block, with fixed codes, that is empty. */
const lastBlock = Buffer.from([0x03, 0x00]);
const windowSize = 32 * 1024;

/** A compressor: takes blocks, writes bytes. */
export interface Compressor extends BlockConsumer {
  /** Settles when the last byte has been written. */
  readonly end: () => Promise<void>;
  /** Settles when nothing of it runs any more, whatever happened. */
  readonly stop: () => Promise<void>;
}

/** Blocks that are not compressed yet, or wait for those before them, of all layers: they are held in memory. */
let blocksAtWork = 0;

interface State {
  readonly write: (bytes: Buffer) => Promise<void>;
  readonly queue: Promise<void>[];
  last: Promise<void>;
  dictionary: Buffer | undefined;
  crc: number;
  size: number;
}

/**
 * One gzip member, compressed block by block on all cores: each block by itself, with the window of the
 * one before it, so that the bytes do not depend on how many cores there are.
 */
export function createGzip(write: (bytes: Buffer) => Promise<void>): Compressor {
  const state: State = {
    write,
    queue: [],
    last: write(header),
    dictionary: undefined,
    crc: 0,
    size: 0,
  };
  const maxQueue = availableParallelism() + 2;
  // One goes on in any case: what others hold is not its to wait for.
  const isFull = (): boolean =>
    state.queue.length >= maxQueue || (state.queue.length > 1 && blocksAtWork >= maxQueue + 2);
  return {
    take: (block) => take(state, block),
    ready: async () => {
      while (isFull()) await state.queue.shift();
    },
    end: () => finish(state),
    stop: async () => {
      await Promise.allSettled(state.queue);
    },
  };
}

function take(state: State, block: Buffer): void {
  state.crc = crc32(block, state.crc);
  state.size += block.length;
  blocksAtWork += 1;
  const compressed = deflateBlock(block, state.dictionary);
  // A block of less than a window is the last one, so the window never reaches further back.
  state.dictionary = Buffer.from(block.subarray(Math.max(0, block.length - windowSize)));
  const written = appendBlock(state, block, compressed);
  // Whoever waits for the queue gets the error; until then it is not unhandled.
  written.catch(() => undefined);
  compressed.catch(() => undefined);
  state.last = written;
  state.queue.push(written);
}

async function appendBlock(
  state: State,
  block: Buffer,
  compressed: Promise<Buffer>,
): Promise<void> {
  // What is the last one at the call is the one before this.
  const both = Promise.all([state.last, compressed]);
  const [, bytes] = await both.finally(() => (blocksAtWork -= 1));
  releaseBlock(block);
  await state.write(bytes);
}

async function finish(state: State): Promise<void> {
  await Promise.all(state.queue);
  await state.last;
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(state.crc, 0);
  trailer.writeUInt32LE(state.size % 2 ** 32, 4);
  await state.write(Buffer.concat([lastBlock, trailer]));
}
