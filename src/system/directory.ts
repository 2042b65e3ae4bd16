import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  opendirSync,
  openSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { systemCode } from "./errno.ts";
import { descriptorPath, hasProc, linuxFlags } from "./linux.ts";

/**
 * A directory that is held open. On Linux what lies in it is reached through the open directory and never by a path
 * from outside, so that whoever puts a link in its place, or moves it, leads nobody elsewhere. Where there is no /proc a
 * path is all that Node can say: then it is the one that it was opened by, and each directory that is opened is proved
 * to be what stands there. That is for places where nobody else is at work: our own private directories, into which an
 * engine on another machine has written, and directories of the user's.
 */
export interface OpenDirectory {
  readonly fd: number;
  /** What a name in it is said with, `WAY/NAME`. One character a byte. */
  readonly way: string;
}

const directoryFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** Opens a directory; a link in its place is not followed. Errors: those of open(2), ELOOP and ENOTDIR among them. */
export function openDirectory(path: string | Buffer): OpenDirectory {
  const fd = openSync(path, directoryFlags);
  const bytes = typeof path === "string" ? Buffer.from(resolve(path)) : path;
  return hold(fd, () => bytes.toString("latin1"));
}

/**
 * Opens one that lies in an open one, or (`..`) in which that one lies. Errors: as `openDirectory`; ESTALE where a
 * directory on the way was moved.
 * @param name one character a byte
 */
export function openBelow(parent: OpenDirectory, name: string): OpenDirectory {
  const path = `${parent.way}/${name}`;
  const fd = openSync(toPath(path), directoryFlags);
  return hold(fd, () => {
    assertThere(parent);
    return name === ".." ? dirname(parent.way) : path;
  });
}

function hold(fd: number, wayByPath: () => string): OpenDirectory {
  if (hasProc()) return { fd, way: descriptorPath(fd) };
  try {
    return assertThere({ fd, way: wayByPath() });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Whether its path leads to it still, as far as that can be told. */
function assertThere(directory: OpenDirectory): OpenDirectory {
  const [ours, there] = [
    fstatSync(directory.fd, { bigint: true }),
    lstatSync(toPath(directory.way), { bigint: true, throwIfNoEntry: false }),
  ];
  if (ours.ino === there?.ino && ours.dev === there.dev) return directory;
  throw Object.assign(new Error(`${directory.way} was moved`), { code: "ESTALE" });
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
  if (!hasProc()) return makeAccessibleByPath(path);
  const fd = openSync(path, linuxFlags.handle | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    chmodSync(descriptorPath(fd), 0o700);
  } finally {
    closeSync(fd);
  }
}

/** As above, where nobody puts a link there meanwhile. */
function makeAccessibleByPath(path: string | Buffer): void {
  if (lstatSync(path).isDirectory()) return chmodSync(path, 0o700);
  throw Object.assign(new Error("it is not a directory"), { code: "ENOTDIR" });
}

export function closeDirectory({ fd }: OpenDirectory): void {
  closeSync(fd);
}

// oxlint-disable-next-line no-control-regex -- all of ASCII
const ascii = /^[\x00-\x7f]*$/;

/**
 * What a system call takes for these bytes: a text where that says the same, for it costs less.
 * @param path one character a byte
 */
export function toPath(path: string): Buffer | string {
  return ascii.test(path) ? path : Buffer.from(path, "latin1");
}

/** What a system call takes for a name in an open directory, whatever bytes it has. */
export function pathIn({ way }: OpenDirectory, name: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${way}/`, "latin1"), Buffer.from(name)]);
}

/** The names in it, some at a time: a directory may have a million. What comes and goes meanwhile may be left out. */
export function* iterateNames(directory: OpenDirectory): Generator<Buffer> {
  for (const { name } of iterateEntries(directory)) yield name;
}

/** The same with what each name stands for: whether it is a directory, and no link to one. */
export function* iterateEntries(
  directory: OpenDirectory,
): Generator<{ readonly name: Buffer; readonly isDirectory: boolean }> {
  const listing = opendirSync(toPath(directory.way), {
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
