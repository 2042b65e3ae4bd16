import { type Dirent, opendirSync, readdirSync, statSync } from "node:fs";
import { systemCode } from "../system/errno.ts";
import { decodeName, encodePath, joinPath } from "./names.ts";

/** What readdir(3) says that a name is. */
export type NameType = "directory" | "link" | "other";

export interface Names {
  readonly sorted: readonly string[];
  readonly typeOf: (name: string) => NameType;
}

/** The names in a directory, by their characters' codes; none where we may not look, but for the root. */
export function listNames(root: string, parent: string): Names {
  try {
    return readNames(encodePath(joinPath(root, parent)));
  } catch (error) {
    // What we may not see, the engine may not copy: its mode says that it is there.
    if (parent !== "" && isRefused(error)) return { sorted: [], typeOf: () => "other" };
    throw error;
  }
}

function readNames(path: string | Buffer): Names {
  const sorted: string[] = [];
  const types = new Map<string, NameType>();
  const add = (name: string, entry: Dirent | Dirent<Buffer>): void => {
    sorted.push(name);
    if (entry.isDirectory()) types.set(name, "directory");
    else if (entry.isSymbolicLink()) types.set(name, "link");
  };
  let isPlain = typeof path === "string";
  if (typeof path === "string") {
    for (const entry of readEntries(path)) {
      add(entry.name, entry);
      isPlain &&= !entry.name.includes("\uFFFD");
    }
  }
  if (!isPlain) {
    sorted.length = 0;
    const entries = readdirSync(path, { encoding: "buffer", withFileTypes: true });
    for (const entry of entries) add(decodeName(entry.name), entry);
  }
  return { sorted: sorted.sort(), typeOf: (name) => types.get(name) ?? "other" };
}

/** Bytes of a directory from which on it may have so many names that they cost memory all at once. */
const largeSize = 256 * 1024;

/** At once is faster, and a million of Node's entries are 100 MB. */
function readEntries(path: string): Iterable<Dirent> {
  return statSync(path).size > largeSize
    ? readSlowly(path)
    : readdirSync(path, { withFileTypes: true });
}

function* readSlowly(path: string): Iterable<Dirent> {
  const directory = opendirSync(path, { bufferSize: 1024 });
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync())
      yield entry;
  } finally {
    directory.closeSync();
  }
}

function isRefused(error: unknown): boolean {
  const code = systemCode(error);
  // It may have become something else since its name was read.
  return code === "EACCES" || code === "ENOENT" || code === "ENOTDIR";
}
