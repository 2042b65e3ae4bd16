import { readSync } from "node:fs";
import type { OutputDirectory } from "../read/directory.ts";
import {
  assertUnchanged,
  changed,
  closeDirectory,
  closeFile,
  listSteps,
  openDirectory,
  openFile,
  readLink,
  showName,
  statName,
} from "../read/directory.ts";
import type { FileStats } from "../read/stats.ts";
import type { ByteString, Entry } from "../tar/entry.ts";
import { refuseTar } from "../tar/problems.ts";
import type { PackStream } from "./stream.ts";

export interface TreeOptions {
  /** Judges each entry before it is written. */
  readonly check: (entry: Entry) => void;
  /** The extended attributes of a path of the tree. */
  readonly findXattrs: (path: ByteString) => Entry["xattrs"];
  /** Told of each socket, which no archive can hold. */
  readonly onSocket: (shown: string) => void;
}

interface Walk extends TreeOptions {
  readonly stream: PackStream;
  /** The path that holds the data of a file with several names, by device and inode. */
  readonly linked: Map<string, ByteString>;
}

/** Each level holds a directory open. */
const maxDepth = 1000;

/**
 * Writes a tree in the order of its paths' bytes, parents before children, without an entry for its root.
 * Nothing is followed, and only plain files are opened. Errors: `output-changed`, `output-unreadable`,
 * `layer-tar-...`, `layer-too-large`.
 */
export async function packTree(
  root: OutputDirectory,
  stream: PackStream,
  options: TreeOptions,
): Promise<void> {
  await packDirectory({ ...options, stream, linked: new Map() }, root, "", 1);
}

async function packDirectory(
  walk: Walk,
  directory: OutputDirectory,
  prefix: ByteString,
  depth: number,
): Promise<void> {
  if (depth > maxDepth) {
    const message = `directories lie more than ${maxDepth} deep in one another`;
    throw refuseTar("layer-tar-broken", message, walk.stream.options.shown);
  }
  for (const step of listSteps(directory)) {
    await walk.stream.turn();
    if (step.endsWith("/")) await packChild(walk, directory, prefix, step.slice(0, -1), depth);
    else await packName(walk, directory, prefix, step);
  }
}

async function packChild(
  walk: Walk,
  parent: OutputDirectory,
  prefix: ByteString,
  name: ByteString,
  depth: number,
): Promise<void> {
  const child = openDirectory(parent, name);
  try {
    await packDirectory(walk, child, `${prefix}${name}/`, depth + 1);
  } finally {
    closeDirectory(child);
  }
}

async function packName(
  walk: Walk,
  directory: OutputDirectory,
  prefix: ByteString,
  name: ByteString,
): Promise<void> {
  const stats = statName(directory, name);
  if (stats === undefined) throw changed(showName(directory, name));
  if (stats.type === "socket") {
    walk.onSocket(showName(directory, name));
    return;
  }
  const path = prefix + name;
  const first = findFirst(walk, path, stats);
  const entry =
    first === undefined ? describe(walk, directory, name, path, stats) : linkTo(path, first, stats);
  walk.check(entry);
  walk.stream.startEntry(entry);
  if (entry.type === "file" && entry.size > 0) await packFile(walk, directory, name, stats);
}

function findFirst(walk: Walk, path: ByteString, stats: FileStats): ByteString | undefined {
  if (stats.type !== "file" || stats.links === 1) return undefined;
  const inode = `${stats.dev}:${stats.ino}`;
  const first = walk.linked.get(inode);
  if (first === undefined) walk.linked.set(inode, path);
  return first;
}

function describe(
  walk: Walk,
  directory: OutputDirectory,
  name: ByteString,
  path: ByteString,
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
    xattrs: walk.findXattrs(path),
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
  walk: Walk,
  directory: OutputDirectory,
  name: ByteString,
  stats: FileStats,
): Promise<void> {
  const file = openFile(directory, name, stats);
  try {
    // The header has been written: the size is the one that was seen then.
    let left = stats.size;
    while (left > 0) {
      const room = walk.stream.room();
      const length = readSync(file.fd, room, 0, Math.min(left, room.length), null);
      if (length === 0) throw changed(file.shown);
      walk.stream.advance(length);
      left -= length;
      if (left > 0) await walk.stream.turn();
    }
    walk.stream.endData(stats.size);
    assertUnchanged(file);
  } finally {
    closeFile(file);
  }
}
