import { XbuildError } from "../errors.ts";

/** The code of a system error (ENOENT, ...), or undefined for any other value. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** The result, or undefined where the file or directory is not there. */
export async function ifPresent<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** Runs an action on the store and turns the system's refusals into errors that say what to do. */
export async function explainFailures<T>(directory: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw explain(directory, error);
  }
}

function explain(directory: string, error: unknown): unknown {
  const code = systemCode(error);
  if (error instanceof XbuildError || code === undefined) return error;
  const details = failures[code];
  if (details === undefined) return error;
  const message = `the store ${directory} ${details.what} (${code})`;
  return new XbuildError(details.code, message, { hint: details.hint, cause: error });
}

const freeSpace =
  "free some space (xbuild cache prune removes what no tag needs), or set XBUILD_STORE";
const otherPlace = "set XBUILD_STORE to a directory that you can write";

const failures: {
  readonly [code: string]: {
    readonly code: "store-full" | "store-not-writable";
    readonly what: string;
    readonly hint: string;
  };
} = {
  ENOSPC: { code: "store-full", what: "has no space left", hint: freeSpace },
  EDQUOT: { code: "store-full", what: "is over its quota", hint: freeSpace },
  EFBIG: { code: "store-full", what: "cannot hold a file that large", hint: otherPlace },
  EACCES: { code: "store-not-writable", what: "belongs to another user", hint: otherPlace },
  EPERM: { code: "store-not-writable", what: "may not be changed", hint: otherPlace },
  EROFS: { code: "store-not-writable", what: "is on a read-only file system", hint: otherPlace },
  ENOTDIR: { code: "store-not-writable", what: "is not a directory", hint: otherPlace },
};
