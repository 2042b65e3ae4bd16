import { readSync } from "node:fs";
import {
  assertUnchanged,
  closeFile,
  openFile,
  readLink,
  showName,
  statName,
  type OutputDirectory,
} from "../read/directory.ts";
import { changed } from "../read/problems.ts";
import type { FileStats } from "../read/stats.ts";
import type { ByteString, Entry } from "../tar/entry.ts";
import type { PackStream } from "./stream.ts";

export interface TreeOptions {
  /** Judges each entry before it is written. */
  readonly check: (entry: Entry) => void;
  /** The extended attributes of a path of the tree. */
  readonly findXattrs: (path: ByteString) => Entry["xattrs"];
  /** Told of each socket, which no archive can hold. */
  readonly onSocket: (shown: string) => void;
}

/** A tree that is being packed. */
export interface TreePacking extends TreeOptions {
  readonly stream: PackStream;
  /** The path that holds the data of a file with several names, by device and inode. */
  readonly linked: Map<string, ByteString>;
}

/** A name in a directory of the tree. */
export interface TreeName {
  readonly directory: OutputDirectory;
  readonly name: ByteString;
  /** From the tree's root. */
  readonly path: ByteString;
}

/** Writes one name of a directory: its entry, and its data where it is a file. Errors: as `packTree`. */
export async function packName(packing: TreePacking, place: TreeName): Promise<void> {
  const { directory, name, path } = place;
  const stats = statName(directory, name);
  if (stats === undefined) throw changed(showName(directory, name));
  if (stats.type === "socket") {
    packing.onSocket(showName(directory, name));
    return;
  }
  const first = findFirst(packing, path, stats);
  const entry = first === undefined ? describe(packing, place, stats) : linkTo(path, first, stats);
  packing.check(entry);
  packing.stream.startEntry(entry);
  if (entry.type === "file" && entry.size > 0) await packFile(packing, place, stats);
}

function findFirst(
  packing: TreePacking,
  path: ByteString,
  stats: FileStats,
): ByteString | undefined {
  if (stats.type !== "file" || stats.links === 1) return undefined;
  const inode = `${stats.dev}:${stats.ino}`;
  const first = packing.linked.get(inode);
  if (first === undefined) packing.linked.set(inode, path);
  return first;
}

function describe(
  packing: TreePacking,
  { directory, name, path }: TreeName,
  stats: FileStats,
): Entry {
  const { type, deviceMajor, deviceMinor } = stats;
  if (type === "socket") throw changed(showName(directory, name));
  return {
    ...describeOwner(stats),
    path,
    type,
    size: type === "file" ? stats.size : 0,
    link: type === "symlink" ? readLink(directory, name) : "",
    deviceMajor,
    deviceMinor,
    xattrs: packing.findXattrs(path),
  };
}

function linkTo(path: ByteString, link: ByteString, stats: FileStats): Entry {
  const none = { size: 0, deviceMajor: 0, deviceMinor: 0, xattrs: [] };
  return { ...describeOwner(stats), ...none, path, type: "hard-link", link };
}

function describeOwner(stats: FileStats): Pick<Entry, "mode" | "uid" | "gid" | "mtime"> {
  const { mode, uid, gid, mtime } = stats;
  return { mode, uid, gid, mtime };
}

async function packFile(
  packing: TreePacking,
  { directory, name }: TreeName,
  stats: FileStats,
): Promise<void> {
  const file = openFile(directory, name, stats);
  try {
    // The header has been written: the size is the one that was seen then.
    let left = stats.size;
    while (left > 0) {
      const room = packing.stream.room();
      const length = readSync(file.fd, room, 0, Math.min(left, room.length), null);
      if (length === 0) throw changed(file.shown);
      packing.stream.advance(length);
      left -= length;
      if (left > 0) await packing.stream.turn();
    }
    packing.stream.endData(stats.size);
    assertUnchanged(file);
  } finally {
    closeFile(file);
  }
}
