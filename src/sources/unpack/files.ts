import {
  closeSync,
  constants,
  fchmodSync,
  ftruncateSync,
  futimesSync,
  lstatSync,
  openSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import type { ArchivedEntry } from "../../archive/archive.ts";
import { type OpenFile, pathOf, type Unpacking } from "./unpacking.ts";

const newFile = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

export function openFile(unpacking: Unpacking, entry: ArchivedEntry): void {
  const path = pathOf(unpacking, entry.path);
  clear(path);
  const fd = openSync(path, newFile, 0o600);
  unpacking.open = { entry, fd, taken: 0, segment: 0, segmentStart: 0 };
}

/** What stood there before, but for a directory. */
export function clear(path: Buffer): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) unlinkSync(path);
}

export function takeData(unpacking: Unpacking, bytes: Buffer): void {
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

function writeData(open: OpenFile, data: Buffer): void {
  const { entry, fd, taken } = open;
  if (entry.sparse === undefined) return writeAt(fd, data, taken);
  const end = taken + data.length;
  for (let from = taken; from < end;) {
    const { segmentStart: start } = open;
    const { offset, length } = entry.sparse[open.segment] ?? {
      offset: entry.size,
      length: Infinity,
    };
    const to = Math.min(start + length, end);
    writeAt(fd, data.subarray(from - taken, to - taken), offset + from - start);
    from = to;
    if (to < start + length) continue;
    open.segment += 1;
    open.segmentStart = to;
  }
}

function writeAt(fd: number, data: Buffer, position: number): void {
  let written = 0;
  while (written < data.length)
    written += writeSync(fd, data, written, data.length - written, position + written);
}
