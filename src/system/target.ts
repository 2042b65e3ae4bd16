import {
  accessSync,
  constants,
  lstatSync,
  readlinkSync,
  realpathSync,
  statSync,
  type Stats,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { XbuildError, exitStatuses } from "../errors.ts";
import { assertWritable } from "./descriptor.ts";
import { systemCode } from "./errno.ts";
import { descriptorAt, hasProc } from "./linux.ts";
import { namedDescriptor } from "./portable.ts";

/** Where a path that a user names leads, links followed. */
export type Target =
  /** A plain file, or nothing yet. */
  | { readonly kind: "file"; readonly path: string; readonly existing: ExistingFile | undefined }
  /** A device or a FIFO: it is written to, and stays what it is. */
  | { readonly kind: "special"; readonly path: string }
  /** An open file of this very process: `/dev/stdout`, `/dev/fd/3`. */
  | { readonly kind: "descriptor"; readonly fd: number };

export interface ExistingFile {
  /** The permission bits. */
  readonly mode: number;
  /** Whether it is this user's. */
  readonly isOwn: boolean;
  /** Whether another user may have put it there so that we write into it. */
  readonly isPlanted: boolean;
}

/** path_resolution(7) */
const maxLinks = 40;

/**
 * Finds out where a path leads, and whether it can be written to as far as that can be told before. What is no
 * plain file is never replaced: a rename over `/dev/null` would break the machine. Errors: `output-destination`,
 * with the exit status of wrong usage.
 * @param what how the user named it: `--iidfile x`
 */
export function findTarget(path: string, what: string): Target {
  if (path.endsWith("/")) throw refuseTarget(what, "it names a directory", "name a file");
  return explainTarget(what, () => followLinks(resolve(path), what));
}

function followLinks(path: string, what: string): Target {
  let place = path;
  for (let links = 0; links < maxLinks; links += 1) {
    // A link into /proc, where there is one.
    const named = namedDescriptor(place);
    if (named !== undefined && !hasProc()) return describeDescriptor(named, what);
    place = join(resolveParent(place, what), basename(place));
    const fd = descriptorAt(place);
    if (fd !== undefined) return describeDescriptor(fd, what);
    const status = lstatSync(place, { throwIfNoEntry: false });
    if (status?.isSymbolicLink() !== true) return describePlace(place, status, what);
    if (isPlanted(place, status)) throw refusePlanted(what, "link");
    place = resolve(dirname(place), readlinkSync(place));
  }
  throw refuseTarget(what, "it is a link that leads to itself", "name a file");
}

function resolveParent(path: string, what: string): string {
  const parent = dirname(path);
  const real = realpathSync(parent);
  if (statSync(real).isDirectory()) return real;
  throw refuseTarget(what, `${parent} is not a directory`, "name a file in a directory");
}

function describeDescriptor(fd: number, what: string): Target {
  const reason = assertWritable(fd);
  if (reason === undefined) return { kind: "descriptor", fd };
  throw refuseTarget(what, reason, `open it for writing: ${fd}>FILE`);
}

function describePlace(path: string, status: Stats | undefined, what: string): Target {
  if (status === undefined) {
    accessSync(dirname(path), constants.W_OK);
    return { kind: "file", path, existing: undefined };
  }
  if (status.isDirectory()) throw refuseTarget(what, "it is a directory", "name a file");
  if (status.isSocket()) {
    throw refuseTarget(what, "it is a socket, which has no name to write to", "name a file");
  }
  if (status.isFile()) return describeFile(path, status);
  if (status.isFIFO() && isPlanted(path, status)) throw refusePlanted(what, "FIFO");
  accessSync(path, constants.W_OK);
  return { kind: "special", path };
}

function describeFile(path: string, status: Stats): Target {
  // In a directory where nothing can be made, the file itself may be writable.
  if (!mayWrite(dirname(path))) accessSync(path, constants.W_OK);
  const isOwn = status.uid === process.geteuid?.();
  const existing = { mode: status.mode & 0o777, isOwn, isPlanted: isPlanted(path, status) };
  return { kind: "file", path, existing };
}

/** access(2) */
export function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether something is in a directory in which everybody may make what he likes, and belongs neither to us nor to
 * the directory's owner: the kernel's own rule for whom not to follow there. proc_sys_fs(5), protected_symlinks,
 * protected_fifos, protected_regular.
 */
function isPlanted(path: string, { uid }: Stats): boolean {
  const directory = statSync(dirname(path));
  const isShared = (directory.mode & constants.S_IWOTH) !== 0 && (directory.mode & sticky) !== 0;
  return isShared && uid !== directory.uid && uid !== process.geteuid?.();
}

/** inode(7), S_ISVTX. Not in Node's constants. */
const sticky = 0o1000;

function refusePlanted(what: string, kind: string): XbuildError {
  const reason = `it is a ${kind} of another user in a directory that everybody may write to`;
  return refuseTarget(what, reason, "name a file in a directory of your own");
}

/** The error for a place that nothing can be written to. */
export function refuseTarget(what: string, reason: string, hint: string): XbuildError {
  return createRefusal(what, { reason, hint });
}

function createRefusal(what: string, { reason, hint }: Refusal, cause?: unknown): XbuildError {
  return new XbuildError("output-destination", `${what}: ${reason}`, {
    hint,
    exitStatus: exitStatuses.usage,
    cause,
  });
}

/** Runs what looks at a place, and says in words why the system refuses. */
export function explainTarget<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const code = systemCode(error);
    if (error instanceof XbuildError || code === undefined) throw error;
    const unknown = { reason: `it cannot be reached (${code})`, hint: otherPlace };
    throw createRefusal(what, refusals[code] ?? unknown, error);
  }
}

const otherPlace = "name a file that this user may write";

interface Refusal {
  readonly reason: string;
  readonly hint: string;
}

const refusals: Readonly<Record<string, Refusal>> = {
  ENOENT: {
    reason: "the directory does not exist",
    hint: "make the directory first, or name another one",
  },
  ENOTDIR: { reason: "its parent is not a directory", hint: "name a file in a directory" },
  EACCES: { reason: "this user may not write there", hint: otherPlace },
  EPERM: { reason: "this user may not write there", hint: otherPlace },
  EROFS: { reason: "it is on a read-only file system", hint: otherPlace },
  ENAMETOOLONG: { reason: "the name is too long", hint: "choose a shorter one" },
  ELOOP: { reason: "a link on the way leads to itself", hint: otherPlace },
};
