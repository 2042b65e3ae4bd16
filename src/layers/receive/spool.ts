import { closeSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { blockSize, encodeEntry, type Entry, paddingOf } from "../../archive/archive.ts";

/** A new file of ours that gets its bytes in order. Long stretches of zeros become holes. */
export interface SpoolFile {
  readonly write: (bytes: Uint8Array) => void;
  /** Closes it, whole. */
  readonly end: () => void;
  /** Closes it as it is, if it is open: it is of no use. */
  readonly drop: () => void;
}

const bufferSize = 64 * 1024;
const zeros = Buffer.alloc(bufferSize);

/** @param mode its permission bits. Errors: the system's; EEXIST where something is there. */
export function createSpoolFile(path: Buffer | string, mode = 0o600): SpoolFile {
  const fd = openSync(path, "wx", mode);
  const buffer = Buffer.allocUnsafeSlow(bufferSize);
  let filled = 0;
  let at = 0;
  let isOpen = true;
  const drop = (): void => {
    if (isOpen) closeSync(fd);
    isOpen = false;
  };
  const flush = (): void => {
    const bytes = buffer.subarray(0, filled);
    if (filled < bufferSize || !bytes.equals(zeros)) writeAll(fd, bytes, at);
    at += filled;
    filled = 0;
  };
  return {
    write: (bytes) => {
      for (let done = 0; done < bytes.length;) {
        const part = bytes.subarray(done, done + bufferSize - filled);
        buffer.set(part, filled);
        filled += part.length;
        done += part.length;
        if (filled === bufferSize) flush();
      }
    },
    end: () => {
      try {
        flush();
        ftruncateSync(fd, at);
      } finally {
        drop();
      }
    },
    drop,
  };
}

function writeAll(fd: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length;)
    done += writeSync(fd, bytes, done, bytes.length - done, position + done);
}

/** An archive that gets entries, and the data of each behind it. */
export interface SpoolArchive {
  readonly startEntry: (entry: Entry) => void;
  readonly write: (bytes: Uint8Array) => void;
  readonly endData: (size: number) => void;
  readonly end: SpoolFile["end"];
  readonly drop: SpoolFile["drop"];
}

export function createSpoolArchive(path: string): SpoolArchive {
  const file = createSpoolFile(path);
  return {
    startEntry: (entry) => encodeEntry(entry, entry.mtime, file.write),
    write: file.write,
    endData: (size) => file.write(zeros.subarray(0, paddingOf(size))),
    end: () => {
      file.write(zeros.subarray(0, 2 * blockSize));
      file.end();
    },
    drop: file.drop,
  };
}

/** Bytes of a file of ours, a piece after the other. */
export function* readPieces(path: Buffer | string, start: number, size: number): Generator<Buffer> {
  const fd = openSync(path, "r");
  try {
    const window = Buffer.allocUnsafeSlow(bufferSize);
    for (let done = 0; done < size;) {
      const length = readSync(fd, window, 0, Math.min(bufferSize, size - done), start + done);
      if (length === 0) throw new RangeError("a file of ours is shorter than it was");
      yield window.subarray(0, length);
      done += length;
    }
  } finally {
    closeSync(fd);
  }
}
