import { type Dirent, opendirSync, readdirSync, statSync } from "node:fs";
import { systemCode } from "../system/errno.ts";
import { type Entry, kindOf } from "./entry.ts";
import { decodeName, encodePath, joinPath } from "./names.ts";
import { sortLong } from "./sort-long.ts";

/** What readdir(3) says that a name is. */
export type NameType = "directory" | "link" | "other";

/** What it would say of an entry. */
export function typeOf(entry: Pick<Entry, "mode">): NameType {
  const kind = kindOf(entry);
  return kind === "directory" || kind === "link" ? kind : "other";
}

/** A name and what it is, as one string that sorts as the name does. */
export type TypedName = string;

/** A NUL is in no name, and sorts before every other character. */
const marks = { directory: "\0d", link: "\0l" } as const;

export function splitTyped(typed: TypedName): readonly [name: string, type: NameType] {
  if (typed.endsWith(marks.directory)) return [typed.slice(0, -2), "directory"];
  return typed.endsWith(marks.link) ? [typed.slice(0, -2), "link"] : [typed, "other"];
}

/** The names in a directory, by their characters' codes; none where we may not look, but for the root. */
export function listNames(root: string, parent: string): Iterable<TypedName> {
  try {
    return readNames(encodePath(joinPath(root, parent)));
  } catch (error) {
    // What we may not see, the engine may not copy: its mode says that it is there.
    if (parent !== "" && isRefused(error)) return [];
    throw error;
  }
}

/** Bytes of a directory from which on it may have so many names that they cost memory all at once. */
const largeSize = 256 * 1024;

function readNames(path: string | Buffer): Iterable<TypedName> {
  if (typeof path === "string") {
    try {
      // At once is faster, and a million of Node's entries are 100 MB.
      if (statSync(path).size > largeSize) return sortLong(readSlowly(path));
      return readdirSync(path, { withFileTypes: true }).map(markPlain).sort();
    } catch (error) {
      if (error !== odd) throw error;
    }
  }
  const entries = readdirSync(path, { encoding: "buffer", withFileTypes: true });
  return entries.map((entry) => markName(decodeName(entry.name), entry)).sort();
}

function* readSlowly(path: string): Iterable<TypedName> {
  const directory = opendirSync(path, { bufferSize: 1024 });
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync())
      yield markPlain(entry);
  } finally {
    directory.closeSync();
  }
}

const odd = new Error("a name that is no UTF-8");

/** @throws `odd` where its bytes may have been others */
function markPlain(entry: Dirent): TypedName {
  if (entry.name.includes("\uFFFD")) throw odd;
  return markName(entry.name, entry);
}

function markName(name: string, entry: Dirent | Dirent<Buffer>): TypedName {
  if (entry.isDirectory()) return name + marks.directory;
  return entry.isSymbolicLink() ? name + marks.link : name;
}

function isRefused(error: unknown): boolean {
  const code = systemCode(error);
  // It may have become something else since its name was read.
  return code === "EACCES" || code === "ENOENT" || code === "ENOTDIR";
}
