import { randomBytes } from "node:crypto";
import { constants, createWriteStream, lstatSync, readlinkSync, realpathSync } from "node:fs";
import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { XbuildError, exitStatuses } from "../errors.ts";
import { systemCode } from "./errno.ts";

/** Where a path that a user names leads, links followed. */
export type Target =
  /** A plain file, or nothing yet; the mode bits of what is there. */
  | { readonly kind: "file"; readonly path: string; readonly mode: number | undefined }
  /** A device or a FIFO: it is written to, and stays what it is. */
  | { readonly kind: "special"; readonly path: string }
  /** An open file of this very process: `/dev/stdout`, `/dev/fd/3`. */
  | { readonly kind: "descriptor"; readonly fd: number };

/** A file whose content is ready and whose place is not yet taken. */
export interface PreparedFile {
  /** Puts it in its place at once: whoever reads finds the old content or the new one, whole. */
  readonly place: () => Promise<void>;
  /** Gives it up; harmless after `place`. */
  readonly discard: () => Promise<void>;
}

const maxLinks = 40;

/**
 * Finds out where a path leads. What is no plain file is never replaced: a rename over `/dev/null` would
 * break the machine. Errors: `output-destination` for a directory, and where there is none to write into.
 * @param what how the user named it: `--iidfile x`
 */
export function findTarget(path: string, what: string): Target {
  let place = resolve(path);
  for (let links = 0; links < maxLinks; links += 1) {
    place = join(resolveParent(place, what), basename(place));
    const fd = descriptorOf(place);
    if (fd !== undefined) return { kind: "descriptor", fd };
    const status = lstatSync(place, { throwIfNoEntry: false });
    if (status === undefined) return { kind: "file", path: place, mode: undefined };
    if (status.isFile()) return { kind: "file", path: place, mode: status.mode & 0o777 };
    if (status.isDirectory()) throw refuseTarget(what, "it is a directory", "name a file");
    if (!status.isSymbolicLink()) return { kind: "special", path: place };
    place = resolve(dirname(place), readlinkSync(place));
  }
  throw refuseTarget(what, "it is a link that leads nowhere", "name a file");
}

function resolveParent(path: string, what: string): string {
  const parent = dirname(path);
  try {
    return realpathSync(parent);
  } catch (error) {
    const isMissing = systemCode(error) === "ENOENT";
    const reason = isMissing
      ? `the directory ${parent} does not exist`
      : `${parent} is no directory`;
    throw refuseTarget(what, reason, "make the directory first, or name a file in another one");
  }
}

/** proc(5), /proc/PID/fd; `/dev/fd` and `/dev/stdout` are links to it. */
function descriptorOf(path: string): number | undefined {
  const found = /^\/(?:dev\/fd|proc\/(?<pid>\d+)\/(?:task\/\d+\/)?fd)\/(?<fd>\d+)$/.exec(
    path,
  )?.groups;
  if (found === undefined) return undefined;
  const { pid = String(process.pid), fd } = found;
  return pid === String(process.pid) ? Number(fd) : undefined;
}

/** The error for a place that nothing can be written to. */
export function refuseTarget(
  what: string,
  reason: string,
  hint: string,
  cause?: unknown,
): XbuildError {
  return new XbuildError("output-destination", `${what}: ${reason}`, {
    hint,
    exitStatus: exitStatuses.usage,
    cause,
  });
}

/**
 * Makes a file's content ready: beside its place, under a name that nobody can guess, so that all that can
 * fail has failed before `place`. Errors: `output-destination`.
 * @param what how the user named it: `--iidfile x`
 */
export async function prepareFile(
  path: string,
  content: string,
  what: string,
  signal?: AbortSignal,
): Promise<PreparedFile> {
  const target = findTarget(path, what);
  const bytes = Buffer.from(content);
  if (target.kind !== "file") {
    const place = (): Promise<void> =>
      explain(what, () => writeInPlace(target, Readable.from([bytes]), signal));
    return { place, discard: () => Promise.resolve() };
  }
  return explain(what, () => prepareBeside(target.path, target.mode, bytes));
}

async function prepareBeside(
  path: string,
  mode: number | undefined,
  bytes: Buffer,
): Promise<PreparedFile> {
  const unfinished = nameUnfinished(path);
  const inPlace = { place: () => overwrite(path, bytes), discard: () => Promise.resolve() };
  try {
    await writeNew(unfinished, bytes, mode);
  } catch (error) {
    // A file that we may write in a directory that we may not.
    if (mode === undefined || systemCode(error) !== "EACCES") throw error;
    return inPlace;
  }
  const discard = (): Promise<void> => rm(unfinished, { force: true });
  const place = async (): Promise<void> => {
    try {
      await rename(unfinished, path);
    } catch (error) {
      await discard();
      // A file that is a mount of its own, or another user's in a sticky directory.
      if (!["EBUSY", "EPERM", "EACCES"].includes(systemCode(error) ?? "")) throw error;
      await inPlace.place();
    }
  };
  return { place, discard };
}

/** A name beside this one, short enough for every file system. */
export function nameUnfinished(path: string): string {
  return join(dirname(path), `.xbuild-${randomBytes(12).toString("base64url")}`);
}

async function writeNew(path: string, bytes: Buffer, mode: number | undefined): Promise<void> {
  const file = await open(path, "wx", 0o666);
  try {
    if (mode !== undefined) await file.chmod(mode);
    await file.writeFile(bytes);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

async function overwrite(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.truncate();
    await file.writeFile(bytes);
  } finally {
    await file.close();
  }
}

/** What is written to where it stands. */
export type SpecialTarget = Exclude<Target, { readonly kind: "file" }>;

/**
 * Writes to a device, a FIFO or an open file of this process, where it stands. A FIFO is waited for until
 * somebody reads it, or the signal comes. Errors: those of open(2) and write(2).
 */
export async function writeInPlace(
  target: SpecialTarget,
  content: Readable,
  signal?: AbortSignal,
): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  if (target.kind === "descriptor") {
    // Opened anew, a socket would be refused.
    const stream = createWriteStream("", { fd: target.fd, autoClose: false });
    return pipeline(content, stream, options);
  }
  const file = await openSpecial(target.path, signal);
  return pipeline(content, file.createWriteStream(), options);
}

const specialFlags = constants.O_WRONLY | constants.O_NOCTTY;

async function openSpecial(path: string, signal?: AbortSignal): Promise<FileHandle> {
  for (;;) {
    signal?.throwIfAborted();
    try {
      // Without O_NONBLOCK a thread would be stuck until a reader comes.
      const reached = await open(path, specialFlags | constants.O_NONBLOCK);
      try {
        return await open(`/proc/self/fd/${reached.fd}`, specialFlags);
      } finally {
        await reached.close();
      }
    } catch (error) {
      if (systemCode(error) !== "ENXIO" || !lstatSync(path).isFIFO()) throw error;
    }
    await sleep(50, undefined, { signal }).catch(() => undefined);
  }
}

async function explain<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const code = systemCode(error);
    if (error instanceof XbuildError || code === undefined) throw error;
    throw new XbuildError("output-destination", `${what}: it cannot be written (${code})`, {
      hint: "name a file that this user may write, on a disk with room",
      cause: error,
    });
  }
}
