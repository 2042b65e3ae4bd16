import {
  chmodSync,
  closeSync,
  fchmodSync,
  futimesSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { Diagnostic } from "../../diagnostics.ts";
import {
  assertUnchanged,
  changed,
  closeDirectory,
  closeFile,
  describeType,
  listNames,
  openDirectory,
  openFile,
  refuse,
  showName,
  statName,
  type ByteString,
  type OutputDirectory,
  type OutputFile,
} from "../../archive/archive.ts";

/** Of all files together, in bytes, and of files and directories together. */
const maxSize = 256 * 1024 * 1024;
const maxCount = 20_000;
const maxDepth = 32;

interface Copy {
  readonly warn: (warning: Diagnostic) => void;
  readonly buffer: Buffer;
  size: number;
  count: number;
}

/**
 * Copies `output/state` to `<staging>/state` and says where: plain files and directories, readable for
 * every user. Errors: `output-state-too-large`, `output-...`.
 */
export function collectState(
  output: OutputDirectory,
  staging: string,
  warn: (warning: Diagnostic) => void,
): string {
  const target = join(staging, "state");
  const directory = openDirectory(output, "state");
  try {
    const copy = { warn, buffer: Buffer.allocUnsafeSlow(256 * 1024), size: 0, count: 0 };
    const root = Buffer.from(target, "utf8").toString("latin1");
    copyDirectory(copy, { source: directory, target: root, depth: 1 });
  } finally {
    closeDirectory(directory);
  }
  return target;
}

/** A directory of the state, and where its copy lies. */
interface StateDirectory {
  readonly source: OutputDirectory;
  readonly target: ByteString;
  /** 1 for `output/state` itself. */
  readonly depth: number;
}

function copyDirectory(copy: Copy, directory: StateDirectory): void {
  const { source, target, depth } = directory;
  if (depth > maxDepth) throw tooLarge(`directories are nested more than ${maxDepth} deep`);
  const path = Buffer.from(target, "latin1");
  mkdirSync(path);
  // Every user of the next build's container may read it, whatever our umask.
  chmodSync(path, 0o755);
  for (const name of listNames(source)) {
    copy.count += 1;
    if (copy.count > maxCount) throw tooLarge(`it has more than ${maxCount} files`);
    copyName(copy, directory, name);
  }
}

function copyName(copy: Copy, directory: StateDirectory, name: ByteString): void {
  const { source, target, depth } = directory;
  const stats = statName(source, name);
  if (stats?.type === "file") {
    copyFile(copy, directory, name);
  } else if (stats?.type === "directory") {
    const child = openDirectory(source, name);
    try {
      copyDirectory(copy, { source: child, target: `${target}/${name}`, depth: depth + 1 });
    } finally {
      closeDirectory(child);
    }
  } else if (stats !== undefined) {
    const message = `a ${describeType(stats)} is left out of the state`;
    const hint = "use only plain files and directories in output/state";
    const file = showName(source, name);
    copy.warn({ code: "output-state-file", severity: "warning", message, hint, file });
  }
}

function copyFile(copy: Copy, { source, target }: StateDirectory, name: ByteString): void {
  const file = openFile(source, name);
  const fd = openSync(Buffer.from(`${target}/${name}`, "latin1"), "wx");
  try {
    copy.size += file.stats.size;
    if (copy.size > maxSize) throw tooLarge(`it has more than ${maxSize} bytes`);
    copyBytes(file, fd, copy.buffer);
    assertUnchanged(file);
    futimesSync(fd, file.stats.mtime, file.stats.mtime);
    fchmodSync(fd, (file.stats.mode & 0o100) === 0 ? 0o644 : 0o755);
  } finally {
    closeSync(fd);
    closeFile(file);
  }
}

function copyBytes(file: OutputFile, fd: number, buffer: Buffer): void {
  let left = file.stats.size;
  while (left > 0) {
    const length = readSync(file.fd, buffer, 0, Math.min(left, buffer.length), null);
    if (length === 0) throw changed(file.shown);
    let written = 0;
    while (written < length) written += writeSync(fd, buffer, written, length - written);
    left -= length;
  }
}

function tooLarge(message: string): Error {
  const hint = "keep only hints such as signatures there, and downloads in a cache mount";
  return refuse("output-state-too-large", message, { file: "output/state", hint });
}
