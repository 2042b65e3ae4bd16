import { randomUUID } from "node:crypto";
import { closeSync, fstatSync, mkdirSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemCode } from "../system/errno.ts";

/** Bytes to look into, wherever they are. */
export interface Bytes {
  readonly length: number;
  /** Fills the buffer with what stands there; false where there is not as much. */
  readonly read: (buffer: Uint8Array, at: number) => boolean;
}

export interface Spool {
  readonly append: (bytes: Uint8Array) => void;
  /** All that was appended; nothing more may be. */
  readonly finish: () => Bytes;
}

/** Up to here bytes stay in memory. */
const smallSize = 4 * 1024 * 1024;

/**
 * Takes bytes one behind the other: few are kept in memory, many in a file that has no name, so that nothing is left of
 * it whatever happens. Where no file can be written, in memory.
 * @param directory where the file is made, else among the temporary ones
 */
export function createSpool(directory: string | undefined): Spool {
  let tail: Uint8Array[] = [];
  let tailSize = 0;
  let written = 0;
  let file: OpenFile | undefined;
  let canWrite = true;
  const spill = (): void => {
    try {
      file ??= openNameless(directory);
      for (const bytes of tail) {
        writeSync(file.descriptor, bytes, 0, bytes.length, written);
        written += bytes.length;
        tail = tail.slice(1);
      }
      tailSize = 0;
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      canWrite = false;
    }
  };
  return {
    append: (bytes) => {
      tail.push(bytes);
      tailSize += bytes.length;
      if (canWrite && tailSize > smallSize) spill();
    },
    finish: () => joinBytes(file, written, Buffer.concat(tail)),
  };
}

/** A file whose descriptor is closed when nobody can ask for it any more. */
interface OpenFile {
  readonly descriptor: number;
}

const closing = new FinalizationRegistry<number>((descriptor) => closeSync(descriptor));

function holdFile(descriptor: number): OpenFile {
  const file = { descriptor };
  closing.register(file, descriptor);
  return file;
}

function openNameless(directory: string | undefined): OpenFile {
  if (directory !== undefined) mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory ?? tmpdir(), `xbuild-${randomUUID()}`);
  const file = holdFile(openSync(path, "wx+", 0o600));
  rmSync(path);
  return file;
}

/** What an open file has up to there, and what follows it. */
function joinBytes(file: OpenFile | undefined, fileLength: number, tail: Uint8Array): Bytes {
  const length = fileLength + tail.length;
  return {
    length,
    read: (buffer, at) => {
      if (at < 0 || at + buffer.length > length) return false;
      const inFile = Math.min(buffer.length, Math.max(0, fileLength - at));
      if (file !== undefined && inFile > 0) {
        if (readSync(file.descriptor, buffer, 0, inFile, at) !== inFile) return false;
      }
      const from = at + inFile - fileLength;
      if (inFile < buffer.length)
        buffer.set(tail.subarray(from, from + buffer.length - inFile), inFile);
      return true;
    },
  };
}

/** Those of a file: a small one is read at once, a large one stays open. Errors: the system's. */
export function openBytes(path: string): Bytes {
  const descriptor = openSync(path, "r");
  const { size } = fstatSync(descriptor);
  if (size > smallSize) return joinBytes(holdFile(descriptor), size, Buffer.alloc(0));
  try {
    const bytes = Buffer.alloc(size);
    return joinBytes(undefined, 0, bytes.subarray(0, readSync(descriptor, bytes, 0, size, 0)));
  } finally {
    closeSync(descriptor);
  }
}
