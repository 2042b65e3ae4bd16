import { crc32 } from "node:zlib";
import { type Entry, kindOf, type Trust } from "./entry.ts";

/*
 * Some hundred entries stand in a file as one block: its head, which ends with a digest of what they are, then columns of
 * doubles (size, mtime, ctime, inode), of words (mode with marks, owner, group, device) and of digests, then two texts,
 * their parts parted by NUL: of each path how much of the one before stays (in base 36) and what follows it, and of each
 * entry what of its content is no digest.
 */

/** What is known of an entry. */
export interface Known {
  readonly entry: Entry;
  /**
   * Of a file the hex sha256 of its bytes, or what stands for it where they cannot be read; of a link its target, of
   * a device its number; nothing for a directory. Behind it, where there are extended attributes that count, a space
   * and the hex sha256 of those.
   */
  readonly content: string;
  readonly trust: Trust;
}

/** Words of the head: how many entries, the bytes of both texts, whether these are UTF-16, the checksum, and the digest. */
const headWords = 16;
export const headBytes = headWords * 4;
export const checksumWord = 4;
const digestAt = 8 * 4;

/** Doubles of an entry, and words. */
export const columns = 4;
export const digestBytes = 32;
/** Above the bits of a mode: a digest stands in its column, the file has other names, and how far it is to be trusted. */
export const [digestMark, linkedMark, trustShift] = [1 << 16, 1 << 17, 18];
/** More is no block of ours. */
const maxBytes = 1 << 28;

export interface Columns {
  readonly doubles: Float64Array;
  readonly words: Uint32Array;
  readonly bytes: Buffer;
  /** Where the digests begin, and the texts. */
  readonly digestsAt: number;
  readonly textsAt: number;
}

export function openColumns(buffer: ArrayBuffer, count: number): Columns {
  const wordsAt = headBytes + columns * count * 8;
  const digestsAt = wordsAt + columns * count * 4;
  return {
    doubles: new Float64Array(buffer, headBytes, columns * count),
    words: new Uint32Array(buffer, wordsAt, columns * count),
    bytes: Buffer.from(buffer),
    digestsAt,
    textsAt: digestsAt + digestBytes * count,
  };
}

export function openHead(buffer: ArrayBuffer): Uint32Array {
  return new Uint32Array(buffer, 0, headWords);
}

/** How many bytes the block has whose head this is; undefined where it cannot be one's. */
export function measureBlock([count = 0, paths = 0, more = 0]: Uint32Array): number | undefined {
  const entryBytes = columns * 12 + digestBytes;
  const length = headBytes + entryBytes * count + paths + more;
  return count > 0 && length < maxBytes ? Math.ceil(length / 8) * 8 : undefined;
}

/** The digest of what a block's entries are. */
export function openDigest(buffer: ArrayBuffer): Uint8Array {
  return new Uint8Array(buffer, digestAt, digestBytes);
}

/** Of a block and the checksum of the one before it: no other may stand in its place. */
export function sumBlock(buffer: ArrayBuffer, before: number): number {
  const head = crc32(new Uint8Array(buffer, 0, checksumWord * 4), before);
  return crc32(new Uint8Array(buffer, digestAt), head);
}

/** Whether a content begins with a digest that goes into its column. */
export function hasDigest({ entry, content }: Known): boolean {
  // What stands for one that cannot be read begins otherwise.
  return kindOf(entry) === "file" && !content.startsWith("unreadable");
}
