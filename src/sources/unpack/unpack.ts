import { closeSync } from "node:fs";
import {
  type ArchivedEntry,
  type ByteString,
  createTarReader,
  showBytes,
} from "../../archive/archive.ts";
import { systemCode } from "../../system/errno.ts";
import { refuseArchive, refuseBomb } from "../problems.ts";
import { finishDirectories, makeDirectory, makeParents } from "./directories.ts";
import { openFile, takeData } from "./files.ts";
import { makeHardLink, makeLink } from "./links.ts";
import { refuseEntry, type UnpackOptions, type Unpacking } from "./unpacking.ts";

/** Takes an archive's bytes and makes its files. */
export interface Unpacker {
  readonly write: (chunk: Buffer) => void;
  /** To be called behind the last byte: directories get their modes and times. */
  readonly end: () => void;
  /** To be called in any case. */
  readonly close: () => void;
}

/** With more an archive is refused, so that memory and inodes stay bounded. */
const maxEntries = 4_000_000;

/**
 * Files belong to whoever unpacks them, as a build context's copies are root's in any case; extended attributes are left
 * out. What is in an archive more than once is what it is last. Nothing is ever made through a link: every directory of
 * a path is one that stands there as a directory. Errors: `context-archive-invalid`, those of the system.
 */
export function createUnpacker(options: UnpackOptions): Unpacker {
  const unpacking: Unpacking = {
    ...options,
    root: Buffer.from(`${options.directory}/`),
    directories: new Map([["", { mode: 0o755, mtime: undefined }]]),
    open: undefined,
    entries: 0,
    size: 0,
  };
  /** The chunk at hand, and its place in the archive. */
  let chunk: Buffer = Buffer.alloc(0);
  let start = 0;
  const reader = createTarReader(options.shown, (entry) => {
    makeEntry(unpacking, entry);
    takeData(unpacking, chunk.subarray(entry.dataOffset - start));
  });
  return {
    write: (bytes) => {
      chunk = bytes;
      takeData(unpacking, bytes);
      reader.write(bytes);
      start += bytes.length;
    },
    end: () => {
      reader.end();
      finishDirectories(unpacking);
    },
    close: () => {
      if (unpacking.open !== undefined) closeSync(unpacking.open.fd);
      unpacking.open = undefined;
    },
  };
}

function makeEntry(unpacking: Unpacking, entry: ArchivedEntry): void {
  const { path, type } = entry;
  countEntry(unpacking, entry);
  try {
    if (type === "directory") return makeDirectory(unpacking, entry);
    if (path === "") throw refuseEntry(unpacking, "an entry that is no directory has no name");
    makeParents(unpacking, path);
    if (type === "file") return openFile(unpacking, entry);
    if (type === "symlink") return makeLink(unpacking, entry);
    if (type === "hard-link") return makeHardLink(unpacking, entry);
  } catch (error) {
    throw explain(unpacking, path, error);
  }
  const what = type === "fifo" ? "a FIFO" : "a device";
  throw refuseEntry(unpacking, `${showBytes(path)} is ${what}`);
}

function countEntry(unpacking: Unpacking, { size }: ArchivedEntry): void {
  unpacking.entries += 1;
  unpacking.size += size;
  if (unpacking.size > unpacking.most) throw refuseBomb(unpacking.shown, unpacking.most);
  if (unpacking.entries <= maxEntries) return;
  const hint = "send less, or name the directory";
  throw refuseArchive(unpacking.shown, `it has more than ${maxEntries} entries`, hint);
}

function explain(unpacking: Unpacking, path: ByteString, error: unknown): unknown {
  const code = systemCode(error);
  if (code === "ENAMETOOLONG") return refuseEntry(unpacking, `${showBytes(path)} is too long`);
  // Where a directory is, nothing else is put in its place.
  if (code !== "EISDIR" && code !== "EEXIST") return error;
  return refuseEntry(unpacking, `${showBytes(path)} is a directory and something else`);
}
