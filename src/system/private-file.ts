import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  mkdtempSync,
  openSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemCode } from "./errno.ts";
import { descriptorPath, hasProc, linuxFlags } from "./linux.ts";

/** A file that a program reads which we start, and nobody else. */
export interface PrivateFile {
  /**
   * For a program that inherits `fd` as its descriptor 3: the file is opened anew, and so read from its start, each
   * time.
   */
  readonly path: string;
  /** Undefined where the path says all. */
  readonly fd: number | undefined;
  readonly close: () => void;
}

/**
 * Makes a file with this text that only we can read. It has no name and ends with its last descriptor, however we end;
 * where there is no /proc, by which such a file could be opened anew, it stands in a directory of its own, which is removed
 * unless we are killed. It is in this directory's file system. Errors: those of open(2) and write(2).
 */
export function openPrivateFile(text: string, directory: string = tmpdir()): PrivateFile {
  if (!hasProc()) return writeNamed(text, directory);
  const fd = openNameless(directory);
  try {
    // A umask may have taken from it what its reader needs.
    fchmodSync(fd, 0o600);
    writeFileSync(fd, text);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return { path: descriptorPath(3), fd, close: () => closeSync(fd) };
}

const createFlags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

function openNameless(directory: string): number {
  try {
    return openSync(directory, linuxFlags.nameless | constants.O_RDWR | constants.O_EXCL, 0o600);
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

function writeNamed(text: string, directory: string): PrivateFile {
  const place = mkdtempSync(join(directory, "xbuild-"));
  const remove = (): void => rmSync(place, { recursive: true, force: true });
  const path = join(place, "file");
  process.once("exit", remove);
  const close = (): void => {
    process.off("exit", remove);
    remove();
  };
  try {
    writeFileSync(path, text, { flag: "wx", mode: 0o600 });
  } catch (error) {
    close();
    throw error;
  }
  return { path, fd: undefined, close };
}
