import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  ftruncateSync,
  futimesSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import {
  type ArchivedEntry,
  type ByteString,
  createTarReader,
  showBytes,
} from "../archive/archive.ts";
import type { XbuildError } from "../errors.ts";
import { systemCode } from "../system/errno.ts";
import { refuseArchive, refuseBomb } from "./problems.ts";

/** Takes an archive's bytes and makes its files. */
export interface Unpacker {
  readonly write: (chunk: Buffer) => void;
  /** To be called behind the last byte: directories get their modes and times. */
  readonly end: () => void;
  /** To be called in any case. */
  readonly close: () => void;
}

interface UnpackOptions {
  /** An empty directory that nobody else reaches. */
  readonly directory: string;
  readonly shown: string;
  /** Bytes that all files together may have. */
  readonly most: number;
}

interface Unpacking extends UnpackOptions {
  readonly root: Buffer;
  /** All directories that stand there, by their paths: whatever else a path leads through is a link or a file. */
  readonly directories: Map<ByteString, DirectoryStatus>;
  open: OpenFile | undefined;
  entries: number;
  size: number;
}

interface DirectoryStatus {
  readonly mode: number;
  readonly mtime: number | undefined;
}

/** A file whose data are coming by. */
interface OpenFile {
  readonly entry: ArchivedEntry;
  readonly fd: number;
  /** Of its data, in bytes. */
  taken: number;
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
  const { path, type, size } = entry;
  unpacking.entries += 1;
  unpacking.size += size;
  if (unpacking.size > unpacking.most) throw refuseBomb(unpacking.shown, unpacking.most);
  if (unpacking.entries > maxEntries) {
    const hint = "send less, or name the directory";
    throw refuseArchive(unpacking.shown, `it has more than ${maxEntries} entries`, hint);
  }
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

function explain(unpacking: Unpacking, path: ByteString, error: unknown): unknown {
  const code = systemCode(error);
  if (code === "ENAMETOOLONG") return refuseEntry(unpacking, `${showBytes(path)} is too long`);
  // Where a directory is, nothing else is put in its place.
  if (code !== "EISDIR" && code !== "EEXIST") return error;
  return refuseEntry(unpacking, `${showBytes(path)} is a directory and something else`);
}

function refuseEntry({ shown }: Unpacking, reason: string): XbuildError {
  const hint = "pack only files, directories and links that stay in the context";
  return refuseArchive(shown, reason, hint);
}

function makeDirectory(unpacking: Unpacking, { path, mode, mtime }: ArchivedEntry): void {
  if (path === "") return;
  if (!unpacking.directories.has(path)) {
    makeParents(unpacking, path);
    mkdirSync(pathOf(unpacking, path), { mode: 0o700 });
  }
  unpacking.directories.set(path, { mode, mtime });
}

/** Those that the archive does not name. */
function makeParents(unpacking: Unpacking, path: ByteString): void {
  const { directories } = unpacking;
  const slash = path.lastIndexOf("/");
  const parent = path.slice(0, Math.max(slash, 0));
  if (directories.has(parent)) return;
  const missing: ByteString[] = [];
  for (
    let one = parent;
    !directories.has(one);
    one = one.slice(0, Math.max(one.lastIndexOf("/"), 0))
  )
    missing.push(one);
  for (const one of missing.toReversed()) {
    if (lstatSync(pathOf(unpacking, one), { throwIfNoEntry: false }) !== undefined) {
      throw refuseEntry(
        unpacking,
        `${showBytes(path)} is inside ${showBytes(one)}, which is not a directory`,
      );
    }
    mkdirSync(pathOf(unpacking, one), { mode: 0o700 });
    directories.set(one, { mode: 0o755, mtime: undefined });
  }
}

const newFile = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

function openFile(unpacking: Unpacking, entry: ArchivedEntry): void {
  const path = pathOf(unpacking, entry.path);
  clear(path);
  const fd = openSync(path, newFile, 0o600);
  unpacking.open = { entry, fd, taken: 0 };
}

/** What stood there before, but for a directory. */
function clear(path: Buffer): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) unlinkSync(path);
}

function takeData(unpacking: Unpacking, bytes: Buffer): void {
  const { open } = unpacking;
  if (open === undefined) return;
  const { entry, fd } = open;
  const data = bytes.subarray(0, entry.dataSize - open.taken);
  writeData(open, data);
  open.taken += data.length;
  if (open.taken < entry.dataSize) return;
  if (entry.sparse !== undefined) ftruncateSync(fd, entry.size);
  fchmodSync(fd, entry.mode);
  futimesSync(fd, entry.mtime, entry.mtime);
  unpacking.open = undefined;
  closeSync(fd);
}

function writeData({ entry, fd, taken }: OpenFile, data: Buffer): void {
  if (entry.sparse === undefined) return writeAt(fd, data, taken);
  /** Of a segment, in the data. */
  let start = 0;
  for (const { offset, length } of entry.sparse) {
    const from = Math.max(start, taken);
    const to = Math.min(start + length, taken + data.length);
    if (from < to) writeAt(fd, data.subarray(from - taken, to - taken), offset + from - start);
    start += length;
  }
}

function writeAt(fd: number, data: Buffer, position: number): void {
  let written = 0;
  while (written < data.length)
    written += writeSync(fd, data, written, data.length - written, position + written);
}

/** An absolute target is the image's business; one that climbs out of the context is nobody's. */
function makeLink(unpacking: Unpacking, { path, link, mtime }: ArchivedEntry): void {
  if (climbsOut(path, link))
    throw refuseEntry(
      unpacking,
      `the link ${showBytes(path)} leads out of the context, to ${showBytes(link)}`,
    );
  const place = pathOf(unpacking, path);
  clear(place);
  symlinkSync(Buffer.from(link, "latin1"), place);
  lutimesSync(place, mtime, mtime);
}

function climbsOut(path: ByteString, link: ByteString): boolean {
  if (link.startsWith("/")) return false;
  let depth = path.split("/").length - 1;
  for (const part of link.split("/")) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    if (depth < 0) return true;
  }
  return false;
}

function makeHardLink(unpacking: Unpacking, { path, link }: ArchivedEntry): void {
  const parent = link.slice(0, Math.max(link.lastIndexOf("/"), 0));
  const source = pathOf(unpacking, link);
  const isThere =
    unpacking.directories.has(parent) &&
    lstatSync(source, { throwIfNoEntry: false })?.isFile() === true;
  if (!isThere) {
    throw refuseEntry(
      unpacking,
      `${showBytes(path)} is a hard link to ${showBytes(link)}, but no file of that path comes before it`,
    );
  }
  if (link === path) return;
  const place = pathOf(unpacking, path);
  clear(place);
  linkSync(source, place);
}

/** From below: what may not be written to any more is done. */
function finishDirectories(unpacking: Unpacking): void {
  for (const [path, { mode, mtime }] of [...unpacking.directories].toReversed()) {
    const place = pathOf(unpacking, path);
    if (mtime !== undefined) utimesSync(place, mtime, mtime);
    chmodSync(place, mode);
  }
}

function pathOf({ root }: Unpacking, path: ByteString): Buffer {
  return Buffer.concat([root, Buffer.from(path, "latin1")]);
}
