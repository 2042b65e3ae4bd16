import { chmodSync, closeSync, constants, opendirSync, openSync } from "node:fs";
import { systemCode } from "./errno.ts";

/**
 * A directory that is held open. What lies in it is reached through the open directory and never by a path
 * from outside, so that whoever puts a link in its place, or moves it, leads nobody elsewhere.
 */
export interface OpenDirectory {
  readonly fd: number;
}

const directoryFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** open(2): a mere handle, for which nothing but the path to it must be accessible. Not in Node's constants. */
const pathOnly = 0o10000000;

/** Opens a directory; a link in its place is not followed. Errors: those of open(2), ELOOP and ENOTDIR among them. */
function openDirectory(path: string | Buffer): OpenDirectory {
  return { fd: openSync(path, directoryFlags) };
}

/**
 * Opens a directory of which all belongs to us, and makes it accessible first where its mode says that it is
 * not: a build may have left one of mode 000. Errors: as `openDirectory`; EPERM for another user's.
 */
export function openOwnDirectory(path: string | Buffer): OpenDirectory {
  try {
    return openDirectory(path);
  } catch (error) {
    if (systemCode(error) !== "EACCES") throw error;
    makeAccessible(path);
    return openDirectory(path);
  }
}

/** Mode 0700 for a directory, which is not opened for it: its own mode may forbid that. No link is followed. */
export function makeAccessible(path: string | Buffer): void {
  const fd = openSync(path, pathOnly | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    chmodSync(`/proc/self/fd/${fd}`, 0o700);
  } finally {
    closeSync(fd);
  }
}

export function closeDirectory({ fd }: OpenDirectory): void {
  closeSync(fd);
}

/** What a system call takes for a name in an open directory, whatever bytes it has. proc(5), /proc/self/fd */
export function pathIn({ fd }: OpenDirectory, name: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${fd}/`), Buffer.from(name)]);
}

/** The names in it, some at a time: a directory may have a million. What comes and goes meanwhile may be left out. */
export function* iterateNames(directory: OpenDirectory): Generator<Buffer> {
  for (const { name } of iterateEntries(directory)) yield name;
}

/** The same with what each name stands for: whether it is a directory, and no link to one. */
export function* iterateEntries(
  directory: OpenDirectory,
): Generator<{ readonly name: Buffer; readonly isDirectory: boolean }> {
  const listing = opendirSync(`/proc/self/fd/${directory.fd}`, {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Node's types know texts alone
    encoding: "buffer" as BufferEncoding,
    bufferSize: 1024,
  });
  try {
    for (let entry = listing.readSync(); entry !== null; entry = listing.readSync()) {
      yield { name: Buffer.from(entry.name), isDirectory: entry.isDirectory() };
    }
  } finally {
    listing.closeSync();
  }
}
