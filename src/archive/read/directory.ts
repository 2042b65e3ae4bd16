import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync } from "node:fs";
import {
  openBelow,
  openDirectory as openPath,
  type OpenDirectory,
  toPath,
} from "../../system/directory.ts";
import { showBytes } from "../refuse.ts";
import type { ByteString } from "../tar/entry.ts";
import { changed, explain, wrongType } from "./problems.ts";
import { toFileStats, type FileStats } from "./stats.ts";

/**
 * A directory of the build's output, held open. What lies in it is reached through the open directory
 * and never through a path (but where the system has no other way, see `OpenDirectory`), so that nothing that a process
 * left behind puts in its place (a symbolic link to our machine's files) is followed.
 */
export interface OutputDirectory extends OpenDirectory {
  /** As the build names it: `output/layers`. */
  readonly shown: string;
}

export interface OutputFile {
  readonly fd: number;
  readonly shown: string;
  readonly stats: FileStats;
}

// Without O_NONBLOCK the opening of a FIFO would wait for a writer.
const fileFlags =
  constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Opens the output directory itself, which is ours. */
export function openOutput(directory: string, shown = "output"): OutputDirectory {
  return { ...openPath(directory), shown };
}

/** Whether it is the directory that this device and inode stand for. */
export function isDirectory(
  { fd }: OutputDirectory,
  { dev, ino }: { readonly dev: bigint; readonly ino: bigint },
): boolean {
  const stats = statOpen(fd);
  return stats.dev === dev && stats.ino === ino;
}

export function closeDirectory(directory: OutputDirectory): void {
  closeSync(directory.fd);
}

/** What lies there, a link itself; undefined where there is nothing. */
export function statName(directory: OutputDirectory, name: ByteString): FileStats | undefined {
  return inWords(directory, name, () => {
    const stats = lstatSync(pathOf(directory, name), { bigint: true, throwIfNoEntry: false });
    return stats === undefined ? undefined : toFileStats(stats);
  });
}

/**
 * Equal for a file that nobody has written to, moved or replaced in between, as stat(2) tells; undefined where there is
 * nothing, or where it changed after `before` (milliseconds since 1970).
 */
export function identifyFile(
  directory: OutputDirectory,
  name: ByteString,
  before = Number.POSITIVE_INFINITY,
): string | undefined {
  const stats = lstatSync(pathOf(directory, name), { bigint: true, throwIfNoEntry: false });
  if (stats === undefined || Number(stats.ctimeNs) / 1e6 > before) return undefined;
  const { dev, ino, size, mtimeNs, ctimeNs } = stats;
  return [dev, ino, size, mtimeNs, ctimeNs].join(":");
}

export function readLink(directory: OutputDirectory, name: ByteString): ByteString {
  return inWords(directory, name, () =>
    readlinkSync(pathOf(directory, name), { encoding: "buffer" }).toString("latin1"),
  );
}

/** Errors: `output-file-type` where something else than a directory is there, `output-unreadable`. */
export function openDirectory(parent: OutputDirectory, name: ByteString): OutputDirectory {
  const { fd, way } = inWords(parent, name, () => openBelow(parent, name));
  // Names are shown in errors alone, so they are not made before.
  return {
    fd,
    way,
    get shown() {
      return showName(parent, name);
    },
  };
}

/** The directory that an open one lies in now. Errors: as `openDirectory`. */
export function openParent(directory: OutputDirectory): OutputDirectory {
  return openDirectory(directory, "..");
}

/** What tells an open directory from every other one on this machine. */
export function readIdentity(directory: OutputDirectory): string {
  const { dev, ino } = fstatSync(directory.fd, { bigint: true });
  return `${dev}:${ino}`;
}

/**
 * Opens a file for reading; anything else is neither opened nor waited on. `expected` is what was seen
 * there before. Errors: `output-file-type`, `output-unreadable`, `output-changed`.
 */
export function openFile(
  parent: OutputDirectory,
  name: ByteString,
  expected: FileStats | undefined = statName(parent, name),
): OutputFile {
  if (expected !== undefined && expected.type !== "file")
    throw wrongType(showName(parent, name), expected, "file");
  const fd = inWords(parent, name, () => openSync(pathOf(parent, name), fileFlags));
  const stats = statOpen(fd);
  if (expected === undefined || stats.ino !== expected.ino || stats.type !== "file") {
    closeSync(fd);
    throw changed(showName(parent, name));
  }
  return {
    fd,
    stats,
    get shown() {
      return showName(parent, name);
    },
  };
}

export function closeFile(file: OutputFile): void {
  closeSync(file.fd);
}

/** Errors: `output-changed` where a file is no longer what it was when it was opened. */
export function assertUnchanged(file: OutputFile): void {
  const now = statOpen(file.fd);
  if (now.size !== file.stats.size || now.mtimeNs !== file.stats.mtimeNs) throw changed(file.shown);
}

/** What an open file or directory is now. */
function statOpen(fd: number): FileStats {
  return toFileStats(fstatSync(fd, { bigint: true }));
}

/** The name of something in a directory, as errors have it. */
export function showName(directory: OutputDirectory, name: ByteString): string {
  return `${directory.shown}/${showBytes(name)}`;
}

/** Runs a call of the system, whose error is said in words of ours. */
function inWords<T>(directory: OutputDirectory, name: ByteString, call: () => T): T {
  try {
    return call();
  } catch (cause) {
    throw explain(showName(directory, name), cause);
  }
}

function pathOf(directory: OutputDirectory, name: ByteString): Buffer | string {
  return toPath(`${directory.way}/${name}`);
}
