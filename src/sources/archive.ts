import { closeSync, createReadStream, openSync, readSync, fstatSync } from "node:fs";
import {
  createExpander,
  detectCompression,
  type Expander,
  readProgram,
} from "../archive/archive.ts";
import { XbuildError } from "../errors.ts";
import { renderSize } from "../units.ts";
import type { FetchPlace } from "./model.ts";
import { refuseArchive, refuseBomb } from "./problems.ts";
import { createUnpacker, type Unpacker } from "./unpack/unpack.ts";

/** How a file of the context's is packed; undefined: it is no archive. */
export type Packing = "tar" | "gzip" | "zstd" | "bzip2" | "xz" | undefined;

const blockSize = 512;

/** By its content, whatever its name or type says: so do buildah and docker. */
export function detectPacking(path: string): Packing {
  const start = readStart(path);
  const compression = detectCompression(start);
  if (compression !== "none") return compression;
  if (start.toString("latin1", 0, 3) === "BZh") return "bzip2";
  if (start.toString("latin1", 0, 6) === "\u00fd7zXZ\0") return "xz";
  return isHeader(start) ? "tar" : undefined;
}

function readStart(path: string): Buffer {
  const fd = openSync(path, "r");
  try {
    const start = Buffer.alloc(blockSize);
    return start.subarray(0, readSync(fd, start, 0, blockSize, 0));
  } finally {
    closeSync(fd);
  }
}

/** A header's checksum is right, or there are none: an archive of nothing. POSIX.1-2017, pax, "ustar". */
function isHeader(block: Buffer): boolean {
  if (block.length < blockSize) return false;
  if (block.every((byte) => byte === 0)) return true;
  const digits = /^\s*(?<digits>[0-7]+)/.exec(block.toString("latin1", 148, 156))?.groups?.[
    "digits"
  ];
  const sum = block.reduce((all, byte, at) => all + (at >= 148 && at < 156 ? 32 : byte), 0);
  return digits !== undefined && Number.parseInt(digits, 8) === sum;
}

interface Archive {
  readonly path: string;
  readonly packing: Exclude<Packing, undefined>;
  /** Its name in errors. */
  readonly shown: string;
}

/**
 * Unpacks an archive into an empty private directory, as a stream. Errors: `context-archive-invalid` for what is broken,
 * leads outside or is a bomb; those of writing, the signal's reason.
 */
export async function unpackArchive(
  { path, packing, shown }: Archive,
  directory: string,
  { signal, onProgress }: Pick<FetchPlace, "signal" | "onProgress">,
): Promise<void> {
  const fd = openSync(path, "r");
  try {
    const { size } = fstatSync(fd);
    const unpacker = createUnpacker({ directory, shown, most: mostOf(size) });
    const take = limit(unpacker, { shown, most: mostOf(size), onProgress });
    try {
      if (packing === "bzip2" || packing === "xz")
        await expandByProgram({ program: packing, fd, shown }, take, signal);
      else await expandHere(path, { shown, take }, signal);
      unpacker.end();
    } finally {
      unpacker.close();
    }
  } catch (error) {
    throw restate(shown, error);
  } finally {
    closeSync(fd);
  }
}

/** More than that no honest archive of so many bytes comes to: both a GiB and 200 times its size. */
function mostOf(size: number): number {
  return Math.max(1024 ** 3, 200 * size);
}

interface Limit extends Pick<FetchPlace, "onProgress"> {
  readonly shown: string;
  readonly most: number;
}

function limit(unpacker: Unpacker, { shown, most, onProgress }: Limit): (chunk: Buffer) => void {
  let size = 0;
  return (chunk) => {
    size += chunk.length;
    if (size > most) throw refuseBomb(shown, most);
    unpacker.write(chunk);
    onProgress(`unpacking, ${renderSize(size)}`);
  };
}

async function expandHere(
  path: string,
  { shown, take }: { readonly shown: string; readonly take: (chunk: Buffer) => void },
  signal: AbortSignal,
): Promise<void> {
  let expander: Expander | undefined;
  try {
    const chunks: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: 1024 * 1024 });
    for await (const chunk of chunks) {
      signal.throwIfAborted();
      expander ??= createExpander(detectCompression(chunk), shown, take);
      await expander.write(chunk);
    }
    await expander?.end();
  } finally {
    await expander?.stop();
  }
}

interface Program {
  readonly program: string;
  readonly fd: number;
  readonly shown: string;
}

async function expandByProgram(
  { program, fd, shown }: Program,
  take: (chunk: Buffer) => void,
  signal: AbortSignal,
): Promise<void> {
  const { failure, isMissing } = await readProgram(
    { program, args: ["-dc"], input: fd },
    take,
    signal,
  );
  if (failure === undefined) return;
  const reason = isMissing
    ? `the program ${program} is not there to decompress it`
    : `it cannot be decompressed: ${failure}`;
  const hint = isMissing
    ? `install ${program === "xz" ? "xz-utils (xz)" : program}`
    : "pack it again";
  throw refuseArchive(shown, reason, hint);
}

/** The readers of layers have codes and hints of their own, for those who write layers. */
function restate(shown: string, error: unknown): unknown {
  if (!(error instanceof XbuildError) || !error.code.startsWith("layer-")) return error;
  const reason = error.message.startsWith(`${shown}: `)
    ? error.message.slice(shown.length + 2)
    : error.message;
  return refuseArchive(shown, reason, "pack the directory again with tar");
}
