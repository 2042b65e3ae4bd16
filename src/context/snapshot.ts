import { crc32 } from "node:zlib";
import { type Digest, isDigest } from "../oci/oci.ts";
import { headBytes, measureBlock } from "./block-layout.ts";
import { type Block, decodeBlock } from "./decode-block.ts";
import { type Bytes, openBytes } from "./spool.ts";

/** What is known of a tree as a whole. */
export interface Summary {
  readonly digest: Digest;
  /** How many entries it has. */
  readonly count: number;
  /** Whether owners are in the digest. */
  readonly withOwners: boolean;
  /** By which rules it was walked, in a few characters; undefined where the names in it are no good for another walk. */
  readonly rules: string | undefined;
}

/**
 * All entries of a tree as they were at one look, in the order of the walk, with their contents: a file (or, of a small
 * tree, a piece of memory) of which one block is looked at at a time.
 */
export interface Snapshot extends Summary {
  /** Those that are whole, from the first. */
  readonly blocks: () => Iterable<Block>;
  /** Its bytes as a file has them: each piece is good until the next one is asked for. */
  readonly pieces: () => Iterable<Uint8Array>;
}

/** Changes whenever equal bytes would mean something else, also where other names would be left out by equal rules. */
const version = "xbuild-context-6";
/** The summary stands at the end, as a line of so many characters. */
const summaryBytes = 256;
const pieceSize = 1024 * 1024;

/** What a file has; undefined where there is none, or none that is whole. */
export function openSnapshot(path: string): Snapshot | undefined {
  try {
    const bytes = openBytes(path);
    const line = Buffer.alloc(summaryBytes);
    const length = bytes.length - summaryBytes;
    const summary = bytes.read(line, length) ? parseSummary(line) : undefined;
    return summary === undefined ? undefined : createSnapshot(summary, { ...bytes, length });
  } catch {
    // There is none yet, or it cannot be read: then everything is hashed.
    return undefined;
  }
}

/** @param bytes its blocks */
export function createSnapshot(summary: Summary, bytes: Bytes): Snapshot {
  return {
    ...summary,
    blocks: () => readBlocks(bytes),
    *pieces() {
      const buffer = new Uint8Array(Math.min(pieceSize, bytes.length));
      for (let at = 0; at < bytes.length; at += pieceSize) {
        const piece = buffer.subarray(0, bytes.length - at);
        if (!bytes.read(piece, at)) return;
        yield piece;
      }
      yield renderSummary(summary);
    },
  };
}

function* readBlocks(bytes: Bytes): Iterable<Block> {
  let checksum = 0;
  for (let at = 0; at < bytes.length;) {
    const head = new Uint8Array(headBytes);
    const length = bytes.read(head, at) ? measureBlock(new Uint32Array(head.buffer)) : undefined;
    if (length === undefined || at + length > bytes.length) return;
    const buffer = new ArrayBuffer(length);
    if (!bytes.read(new Uint8Array(buffer), at)) return;
    const block = decodeBlock(buffer, checksum);
    if (block === undefined) return;
    yield block;
    checksum = block.checksum;
    at += length;
  }
}

function renderSummary({ digest, count, withOwners, rules }: Summary): Uint8Array {
  const text = JSON.stringify([version, digest, count, withOwners, rules ?? null]);
  return Buffer.from(`${crc32(text)} ${text}`.padEnd(summaryBytes - 1).concat("\n"));
}

function parseSummary(line: Buffer): Summary | undefined {
  const [, sum, text = ""] = /^(\d+) (.*\]) *\n$/.exec(line.toString("latin1")) ?? [];
  if (Number(sum) !== crc32(text)) return undefined;
  const [read, digest, count, withOwners, by]: readonly unknown[] = JSON.parse(text);
  const rules = typeof by === "string" ? by : undefined;
  const isOurs = read === version && typeof digest === "string" && isDigest(digest);
  if (!isOurs) return undefined;
  return { digest, count: Number(count), withOwners: withOwners === true, rules };
}
