import { createHash, type Hash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { Digest } from "../../oci/oci.ts";
import { tooLarge } from "../refuse.ts";
import { encodeEntry } from "../tar/encode.ts";
import { blockSize, paddingOf, type Entry } from "../tar/entry.ts";
import { createBlock, releaseBlock } from "./blocks.ts";

/** What takes the packed archive, in blocks of `packBlockSize` bytes (the last one is shorter). */
export interface BlockConsumer {
  /** The block belongs to the consumer from now on. */
  readonly take: (block: Buffer) => void;
  /** Settles when more may be given; rejects where an earlier block failed. */
  readonly ready: () => Promise<void>;
}

export interface PackOptions {
  /** The layer's name in errors. */
  readonly shown: string;
  /** Later times become this one. Seconds. */
  readonly epoch: number | undefined;
  /** Of the archive, in bytes. */
  readonly maxSize: number;
  readonly signal: AbortSignal | undefined;
  /** Whether the content alone matters, so that the diff ID need not be computed. */
  readonly contentOnly?: boolean;
  /** Told of so many more bytes of the archive. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

export interface PackResult {
  /** Undefined where it was not wanted. */
  readonly diffId: Digest | undefined;
  /** Of the content, in hex: `fingerprint.ts`, version 1. */
  readonly fingerprint: string;
  /** Bytes of the archive. */
  readonly size: number;
}

/** A canonical archive that is being written. */
export interface PackStream {
  readonly options: PackOptions;
  /** Writes the header; a file's `size` bytes of data must follow. */
  readonly startEntry: (entry: Entry) => void;
  /** Room for the next data: some of the bytes to come, never none. */
  readonly room: () => Buffer;
  /** So many bytes of the room have been filled. */
  readonly advance: (length: number) => void;
  /** Fills the last block of a file's data. */
  readonly endData: (size: number) => void;
  /** To be awaited every now and then: holds back while the consumer is busy, and lets others work. */
  readonly turn: () => Promise<void>;
  readonly end: () => Promise<PackResult>;
}

interface State {
  readonly options: PackOptions;
  readonly consumer: BlockConsumer | undefined;
  readonly diff: Hash | undefined;
  readonly neutral: Hash;
  block: Buffer;
  filled: number;
  size: number;
  turns: number;
}

const zeros = Buffer.alloc(blockSize);

/**
 * Starts a canonical archive. Its bytes go to the consumer; without one they are hashed only, which is
 * enough to know whether a layer is one that is there already.
 */
export function createPackStream(options: PackOptions, consumer?: BlockConsumer): PackStream {
  const state: State = {
    options,
    consumer,
    diff: options.contentOnly === true ? undefined : createHash("sha256"),
    neutral: createHash("sha256"),
    block: createBlock(),
    filled: 0,
    size: 0,
    turns: 0,
  };
  return {
    options,
    startEntry: (entry) => putEntry(state, entry),
    room: () => state.block.subarray(state.filled),
    advance: (length) => advanceContent(state, length),
    endData: (size) => putContent(state, zeros.subarray(0, paddingOf(size))),
    turn: () => takeTurn(state),
    end: () => finish(state),
  };
}

function putEntry(state: State, entry: Entry): void {
  const { epoch, maxSize } = state.options;
  // A sparse file may be far too large: that is known before it is read.
  if (state.size + entry.size > maxSize) throw tooLarge(state.options.shown, maxSize);
  const mtime = epoch === undefined ? entry.mtime : Math.min(entry.mtime, epoch);
  encodeEntry(entry, mtime, (bytes) => put(state, bytes));
  encodeEntry(entry, 0, (bytes) => void state.neutral.update(bytes));
}

/** What the fingerprint has, too: headers have their times in the archive alone. */
function putContent(state: State, bytes: Buffer): void {
  state.neutral.update(bytes);
  put(state, bytes);
}

function put(state: State, bytes: Buffer): void {
  let done = 0;
  while (done < bytes.length) {
    const copied = bytes.copy(state.block, state.filled, done);
    done += copied;
    advance(state, copied);
  }
}

function advanceContent(state: State, length: number): void {
  const { block, filled } = state;
  if (length > 0) state.neutral.update(block.subarray(filled, filled + length));
  advance(state, length);
}

function advance(state: State, length: number): void {
  state.filled += length;
  state.size += length;
  if (state.size > state.options.maxSize)
    throw tooLarge(state.options.shown, state.options.maxSize);
  if (state.filled === state.block.length) flush(state);
}

function flush(state: State): void {
  const block = state.block.subarray(0, state.filled);
  state.diff?.update(block);
  state.options.onBytes?.(block.length);
  state.filled = 0;
  if (state.consumer === undefined) return;
  state.consumer.take(block);
  state.block = createBlock();
}

async function takeTurn(state: State): Promise<void> {
  state.options.signal?.throwIfAborted();
  await state.consumer?.ready();
  state.turns += 1;
  if (state.turns % 64 === 0) await setImmediate();
}

async function finish(state: State): Promise<PackResult> {
  putContent(state, zeros);
  putContent(state, zeros);
  if (state.filled > 0) flush(state);
  await state.consumer?.ready();
  releaseBlock(state.block);
  const diffId: Digest | undefined = state.diff && `sha256:${state.diff.digest("hex")}`;
  return { diffId, fingerprint: state.neutral.digest("hex").slice(0, 32), size: state.size };
}
