import { createHash, hash } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
} from "node:fs";
import { open } from "node:fs/promises";
import pLimit from "p-limit";
import { systemCode } from "../system/errno.ts";
import { takeTurn } from "../system/turns.ts";
import type { Crew } from "./crew.ts";
import { type Entry, kindOf, smallFile } from "./entry.ts";
import { hashInThread } from "./hash-in-thread.ts";
import type { Helpers } from "./helpers.ts";
import { decodeName, encodePath, joinPath } from "./names.ts";

/** What a path has in it, without its attributes; undefined of what has gone. */
export interface ReadContent {
  readonly content: string | undefined;
  /** Whether it was while it was read what it was when it was found. */
  readonly isStable: boolean;
}

export interface ContentOptions {
  /** Those who may read small files meanwhile. */
  readonly helpers: Helpers;
  readonly signal?: AbortSignal | undefined;
  /** Told of so many more bytes of files. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** Large files at once: one is hashed while the others are read. */
const atOnce = 4;

/** Reads what these entries have in them, in their order. */
export async function readContents(
  root: string,
  entries: readonly Entry[],
  options: ContentOptions,
): Promise<readonly ReadContent[]> {
  const read = new Map<Entry, ReadContent>();
  const large = entries.filter((entry) => isLarge(entry));
  const largeOnes = pLimit(atOnce).map(large, async (entry) => {
    options.signal?.throwIfAborted();
    const failed = (error: unknown): ReadContent => explainFailure(entry, error);
    read.set(entry, await hashLarge(root, entry, options).catch(failed));
  });
  await Promise.all([largeOnes, readSmallOnes(entries, { root, read, ...options })]);
  return entries.map((entry) => read.get(entry) ?? gone);
}

const gone: ReadContent = { content: undefined, isStable: false };

function isLarge(entry: Entry): boolean {
  return kindOf(entry) === "file" && entry.size > smallFile;
}

interface Reading extends ContentOptions {
  readonly root: string;
  readonly read: Map<Entry, ReadContent>;
}

/** Files that are read at once, before others have their turn. */
const pieceLength = 64;

/** Each piece by whoever is free: threads, where there are some, or this one. */
async function readSmallOnes(entries: readonly Entry[], reading: Reading): Promise<void> {
  const { root, signal, helpers } = reading;
  const small = entries.filter((entry) => !isLarge(entry));
  const crew = helpers.crew();
  let taken = 0;
  const takePiece = (): readonly Entry[] => small.slice(taken, (taken += pieceLength));
  const readInThread = async (by: Crew): Promise<void> => {
    for (let piece = takePiece(); piece.length > 0; piece = takePiece()) {
      readPiece(piece, await hashInThread(by, root, piece), reading);
    }
  };
  const readHere = async (): Promise<void> => {
    for (let piece = takePiece(); piece.length > 0; piece = takePiece()) {
      readPiece(piece, new Map(), reading);
      if (taken < small.length) await takeTurn(signal);
    }
  };
  const threads = Array.from({ length: 2 * (crew?.size() ?? 0) }, () => crew && readInThread(crew));
  await Promise.all([...threads, readHere()]);
}

/** @param known what a thread read of it */
function readPiece(
  piece: readonly Entry[],
  known: ReadonlyMap<Entry, string>,
  { root, read, onBytes }: Reading,
): void {
  for (const entry of piece) {
    const digest = known.get(entry);
    read.set(
      entry,
      digest === undefined ? tryReading(root, entry) : { content: digest, isStable: true },
    );
    if (kindOf(entry) === "file") onBytes?.(entry.size);
  }
}

function tryReading(root: string, entry: Entry): ReadContent {
  try {
    return readSmall(root, entry);
  } catch (error) {
    return explainFailure(entry, error);
  }
}

/** Errors: those that are no answer. */
function explainFailure(entry: Entry, error: unknown): ReadContent {
  const code = systemCode(error) ?? "";
  if (code === "ENOENT") return gone;
  // What was a link is none any more, or the other way round.
  if (!["EACCES", "EPERM", "ELOOP", "EINVAL"].includes(code)) throw error;
  return { content: `unreadable ${describeStat(entry)}`, isStable: false };
}

function describeStat({ size, mtimeMs, ctimeMs, ino, mode }: Entry): string {
  return `${size} ${mtimeMs} ${ctimeMs} ${ino} ${mode}`;
}

function readSmall(root: string, entry: Entry): ReadContent {
  const path = encodePath(joinPath(root, entry.path));
  const kind = kindOf(entry);
  if (kind === "directory") return { content: "", isStable: true };
  if (kind === "file") return hashSmall(path, entry);
  if (kind === "link") return { content: decodeName(readlinkSync(path, "buffer")), isStable: true };
  const { mode, rdev } = lstatSync(path);
  return { content: `${mode & constants.S_IFMT} ${rdev}`, isStable: true };
}

// Between finding and opening, the file may have become a link or a FIFO.
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

let buffer: Buffer | undefined;

function hashSmall(path: string | Buffer, entry: Entry): ReadContent {
  buffer ??= Buffer.allocUnsafe(smallFile + 1);
  const descriptor = openSync(path, flags);
  try {
    const length = readSync(descriptor, buffer, 0, buffer.length, 0);
    const digest = hash("sha256", buffer.subarray(0, length), "hex");
    const { size, ctimeMs } = fstatSync(descriptor);
    return { content: digest, isStable: isSame(entry, size, ctimeMs) && length === entry.size };
  } finally {
    closeSync(descriptor);
  }
}

async function hashLarge(
  root: string,
  entry: Entry,
  { signal, onBytes }: ContentOptions,
): Promise<ReadContent> {
  const handle = await open(encodePath(joinPath(root, entry.path)), flags);
  try {
    const hashing = createHash("sha256");
    const stream: AsyncIterable<Buffer> = handle.createReadStream({
      autoClose: false,
      highWaterMark: 1024 * 1024,
    });
    for await (const chunk of stream) {
      signal?.throwIfAborted();
      hashing.update(chunk);
      onBytes?.(chunk.length);
    }
    const { size, ctimeMs } = await handle.stat();
    return { content: hashing.digest("hex"), isStable: isSame(entry, size, ctimeMs) };
  } finally {
    await handle.close();
  }
}

function isSame(entry: Entry, size: number, ctimeMs: number): boolean {
  return size === entry.size && ctimeMs === entry.ctimeMs;
}
