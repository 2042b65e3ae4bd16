import { randomBytes } from "node:crypto";
import { closeSync, constants, fchmodSync, openSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemCode } from "./errno.ts";

/** A file that has no name: a program reads it that inherits its descriptor, and nothing is left of it. */
export interface PrivateFile {
  readonly fd: number;
  readonly close: () => void;
}

/** open(2): a file that never gets a name. Not in Node's constants; the rest of it is O_DIRECTORY. */
const nameless = 0o20000000 | constants.O_DIRECTORY;

/**
 * Opens a file with this text that only we can read and that ends with its last descriptor, however we end. It is in
 * this directory's file system. Errors: those of open(2) and write(2).
 */
export function openPrivateFile(text: string, directory: string = tmpdir()): PrivateFile {
  const fd = openNameless(directory);
  try {
    // A umask may have taken from it what its reader needs.
    fchmodSync(fd, 0o600);
    writeFileSync(fd, text);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return { fd, close: () => closeSync(fd) };
}

/** The path of what a program has inherited as this descriptor: opened anew, and so read from its start, each time. */
export function inheritedPath(descriptor: number): string {
  return `/proc/self/fd/${descriptor}`;
}

const createFlags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

function openNameless(directory: string): number {
  try {
    return openSync(directory, nameless | constants.O_RDWR | constants.O_EXCL, 0o600);
  } catch (error) {
    // Some file systems cannot, and say it in these ways.
    if (!["ENOTSUP", "EOPNOTSUPP", "EISDIR", "EINVAL"].includes(systemCode(error) ?? ""))
      throw error;
    return openUnlinked(directory);
  }
}

/** It has a name only while it is empty. */
function openUnlinked(directory: string): number {
  const path = join(directory, `xbuild-${randomBytes(12).toString("hex")}`);
  const fd = openSync(path, createFlags, 0o600);
  try {
    unlinkSync(path);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}
