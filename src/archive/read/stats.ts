import type { BigIntStats } from "node:fs";

export type FileType =
  | "file"
  | "directory"
  | "symlink"
  | "fifo"
  | "socket"
  | "character-device"
  | "block-device";

/** What lstat(2) says, as far as it is needed: trees have many files, and Node's own form is large. */
export interface FileStats {
  readonly type: FileType;
  /** Permission bits, set-id bits and sticky bit. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes. */
  readonly size: number;
  /** Whole seconds since 1970, rounded down. */
  readonly mtime: number;
  readonly mtimeNs: bigint;
  readonly ino: bigint;
  readonly dev: bigint;
  /** How many names it has. */
  readonly links: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

/** The short form of Node's. */
export function toFileStats(stats: BigIntStats): FileStats {
  const { mtimeNs, ino, dev } = stats;
  const type = typeOf(stats);
  const isDevice = type === "character-device" || type === "block-device";
  return {
    type,
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: Number(stats.size),
    mtime: roundDown(mtimeNs),
    mtimeNs,
    ino,
    dev,
    links: Number(stats.nlink),
    deviceMajor: isDevice ? majorOf(stats.rdev) : 0,
    deviceMinor: isDevice ? minorOf(stats.rdev) : 0,
  };
}

/** How a person calls it. */
export function describeType({ type }: FileStats): string {
  const names = {
    file: "file",
    directory: "directory",
    symlink: "symbolic link",
    fifo: "FIFO",
    socket: "socket",
    "character-device": "device",
    "block-device": "device",
  };
  return names[type];
}

function typeOf(stats: BigIntStats): FileType {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isFIFO()) return "fifo";
  if (stats.isSocket()) return "socket";
  return stats.isBlockDevice() ? "block-device" : "character-device";
}

/** Not from mtimeMs: a number rounds 0.9999999 seconds up to the next one. */
function roundDown(nanoseconds: bigint): number {
  const seconds = nanoseconds / 1_000_000_000n;
  const isCut = nanoseconds < 0n && nanoseconds % 1_000_000_000n !== 0n;
  return Number(isCut ? seconds - 1n : seconds);
}

/** As glibc's gnu_dev_major and gnu_dev_minor. */
function majorOf(device: bigint): number {
  return Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n));
}

function minorOf(device: bigint): number {
  return Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n));
}
