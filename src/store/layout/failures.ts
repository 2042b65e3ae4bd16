import { XbuildError } from "../../errors.ts";
import { systemCode } from "../../system/errno.ts";

/** Runs an action on the store and turns the system's refusals into errors that say what to do. */
export async function explainFailures<T>(directory: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw explain(directory, error);
  }
}

/** An error of a full disk as one that says what to do, whoever wrote there; every other error as it is. */
export function explainFull(
  { directory }: { readonly directory: string },
  error: unknown,
): unknown {
  const code = systemCode(error);
  return code === "ENOSPC" || code === "EDQUOT" ? explain(directory, error) : error;
}

/** That an image is not in the store, or not any more. */
export function createNotFound(
  { directory }: { readonly directory: string },
  name: string,
): XbuildError {
  return new XbuildError("image-not-found", `the store ${directory} has no image ${name}`, {
    hint: "run xbuild images to see the names that it has",
  });
}

function explain(directory: string, error: unknown): unknown {
  const code = systemCode(error);
  if (error instanceof XbuildError || code === undefined) return error;
  const details = failures[code];
  if (details === undefined) return error;
  const place = details.hasPlace === true ? `: ${pathOf(error)}` : "";
  const message = `the store ${directory} ${details.what} (${code})${place}`;
  return new XbuildError(details.code, message, { hint: details.hint, cause: error });
}

function pathOf(error: unknown): string {
  const isKnown = error instanceof Error && "path" in error && typeof error.path === "string";
  return isKnown ? String(error.path) : "unknown path";
}

const freeSpace =
  "free some space (xbuild cache prune removes what no tag needs), or set XBUILD_STORE";
const otherPlace = "set XBUILD_STORE to a directory that you can write";
const repair =
  "move away what does not belong in the store, then run xbuild cache verify --repair: another program changes it";

interface Failure {
  readonly code: "store-full" | "store-not-writable" | "store-damaged";
  readonly what: string;
  readonly hint: string;
  /** Whether the message names the file. */
  readonly hasPlace?: boolean;
}

function damaged(what: string): Failure {
  return { code: "store-damaged", what, hint: repair, hasPlace: true };
}

const failures: { readonly [code: string]: Failure } = {
  ENOSPC: { code: "store-full", what: "has no space left", hint: freeSpace },
  EDQUOT: { code: "store-full", what: "is over its quota", hint: freeSpace },
  EFBIG: { code: "store-full", what: "cannot hold a file that large", hint: otherPlace },
  EACCES: { code: "store-not-writable", what: "belongs to another user", hint: otherPlace },
  EPERM: { code: "store-not-writable", what: "cannot be changed", hint: otherPlace },
  EROFS: { code: "store-not-writable", what: "is on a read-only file system", hint: otherPlace },
  ENOTDIR: { code: "store-not-writable", what: "is not a directory", hint: otherPlace },
  ENAMETOOLONG: { code: "store-not-writable", what: "has too long a name", hint: otherPlace },
  EISDIR: damaged("has a directory where a file belongs"),
  ENOTEMPTY: damaged("has a directory where a file belongs"),
  EEXIST: damaged("has a file where none belongs"),
  ELOOP: damaged("has a link where none belongs"),
  ENOENT: damaged("lacks a file or directory that was there a moment ago"),
};
