import { statfsSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname } from "node:path";
import { type Entry, kindOf } from "./entry.ts";
import { encodePath, joinPath } from "./names.ts";

/**
 * statfs(2): file systems of this machine alone, on which a directory has another ctime whenever a name in it comes, goes
 * or stands for something else: ext, XFS, Btrfs, tmpfs, ZFS, F2FS, bcachefs. On overlayfs a directory has the times of its
 * uppermost layer, whatever comes into those below.
 */
const tellingTypes: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x2fc12fc1, 0xf2f52010, 0xca451a4e,
]);

/** Whether its directories tell by their times when their names change. Errors: the system's. */
export function keepsNames(root: string): boolean {
  return tellingTypes.has(readType(root));
}

/**
 * Those whose ctime is no clock's, but written by whoever made an image of them, or whatever they are mounted from: another
 * image may have other files of the same inode, size and times. squashfs, EROFS, cramfs, romfs, ISO 9660, UDF, FAT, exFAT.
 */
const fixedTypes: ReadonlySet<number> = new Set([
  0x73717368, 0xe0f5e1e2, 0x28cd3d45, 0x7275, 0x9660, 0x15013346, 0x4d44, 0x2011bab0,
]);

/**
 * Tells whether the file system of an entry below a root gives it another ctime whenever it changes. Elsewhere than on Linux
 * the types have other numbers: there that is believed of the file system of the user's home, and of no other.
 */
export function createClockCheck(
  root: string,
  platform = process.platform,
): (entry: Entry) => boolean {
  if (platform !== "linux") {
    const home = statSync(homedir(), { throwIfNoEntry: false })?.dev;
    return ({ dev }) => home !== undefined && dev === home >>> 0;
  }
  const known = new Map<number, boolean>();
  return (entry) => {
    const { dev, path } = entry;
    const found = known.get(dev);
    if (found !== undefined) return found;
    // A link would be followed.
    const type = tryType(root, kindOf(entry) === "link" ? dirname(path) : path);
    // It has gone.
    if (type === undefined) return false;
    known.set(dev, !fixedTypes.has(type));
    return !fixedTypes.has(type);
  };
}

function tryType(root: string, path: string): number | undefined {
  try {
    return readType(encodePath(joinPath(root, path)));
  } catch {
    return undefined;
  }
}

function readType(path: string | Buffer): number {
  return statfsSync(path).type >>> 0;
}
