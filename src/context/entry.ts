import { constants, type Stats } from "node:fs";

/** What lstat(2) says of a path. */
export interface Entry {
  /** Relative to the root, which itself is "" (and listed only if it is no directory, or is asked for). */
  readonly path: string;
  /** With the bits that say what it is. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly dev: number;
  readonly ino: number;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970, with what there is of a millisecond. */
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  /** Whether the same file has other names. */
  readonly isLinked: boolean;
}

/**
 * How far what is known of an entry can be believed by whoever finds the same stat: not at all, in this process (it
 * changed longer ago than a tick of the file system's clock), or always.
 */
export const trust = { none: 0, recent: 1, settled: 2 } as const;
export type Trust = (typeof trust)[keyof typeof trust];

export type Kind = "file" | "directory" | "link" | "other";

export function kindOf({ mode }: Pick<Entry, "mode">): Kind {
  const type = mode & constants.S_IFMT;
  if (type === constants.S_IFREG) return "file";
  if (type === constants.S_IFDIR) return "directory";
  return type === constants.S_IFLNK ? "link" : "other";
}

/** What of a stat(2) is asked for. */
export const statFields = [
  "mode",
  "uid",
  "gid",
  "dev",
  "ino",
  "size",
  "mtimeMs",
  "ctimeMs",
  "nlink",
] as const;
export type Status = Pick<Stats, (typeof statFields)[number]>;

export function toEntry(path: string, status: Status): Entry {
  const { mode, uid, gid, ino, size, mtimeMs, ctimeMs, nlink } = status;
  const isLinked = nlink > 1 && (mode & constants.S_IFMT) !== constants.S_IFDIR;
  // As it is written down: devices have 32 bits in Linux.
  const dev = status.dev >>> 0;
  return { path, mode, uid, gid, dev, ino, size, mtimeMs, ctimeMs, isLinked };
}

/**
 * A file that changed this shortly before it was read may change again and look the same, for a clock
 * has steps: 2 seconds are the longest of any file system in use.
 */
const clockStep = 2000;

/**
 * How far a content is known that stayed the same while it was read, by a look that began then (milliseconds since
 * 1970). A file that changes after it was read has another ctime, unless it had changed within the same tick of the
 * file system's clock: 10 ms are the longest in Linux, a second or two on file systems that count no parts of one.
 */
export function judgeTrust(ctimeMs: number, startedAt: number): Trust {
  if (ctimeMs < startedAt - clockStep) return trust.settled;
  const tick = ctimeMs % 1000 === 0 ? clockStep : 20;
  return ctimeMs < startedAt - tick ? trust.recent : trust.none;
}

/** Bytes up to which one call reads a file, and the calls that wait for nothing are the fastest. */
export const smallFile = 128 * 1024;
