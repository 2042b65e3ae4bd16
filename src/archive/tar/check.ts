import { showBytes } from "../refuse.ts";
import { maxPath, type ByteString, type Entry, type EntryType } from "./entry.ts";
import { refuseTar } from "./problems.ts";

export interface CheckOptions {
  /** The layer's name in errors. */
  readonly file: string;
  readonly allowDevices: boolean;
}

/** What one path of a layer is; `implied` are directories that only stand in others' paths. */
type Kind = EntryType | "implied";

interface Checker extends CheckOptions {
  readonly kinds: Map<ByteString, Kind>;
  count: number;
  /** Bytes of names, links and attributes so far. */
  size: number;
}

/** A layer with more is refused, so that memory stays bounded. */
export const maxEntries = 1_000_000;
/** Bytes of its names, links and attributes. */
export const maxIndexSize = 256 * 1024 * 1024;

/**
 * Gives a function that judges a layer's entries one after another, in the order of the archive: what
 * tools would unpack differently, or to somewhere else, is refused (`layer-tar-...`). image-spec v1.1,
 * layer.md.
 */
export function createEntryChecker(options: CheckOptions): (entry: Entry) => void {
  const checker = createChecker(options);
  return (entry) => {
    assertAlone(checker, entry);
    assertFree(checker, entry);
    if (entry.type === "hard-link") assertTarget(checker, entry);
    checker.kinds.set(entry.path, entry.type);
  };
}

/** The same for a tree, where no two paths can be in each other's way. */
export function createTreeChecker(options: CheckOptions): (entry: Entry) => void {
  const checker = createChecker(options);
  return (entry) => assertAlone(checker, entry);
}

function createChecker(options: CheckOptions): Checker {
  return { ...options, kinds: new Map(), count: 0, size: 0 };
}

/** What can be said of an entry without the others. */
function assertAlone(checker: Checker, entry: Entry): void {
  countEntry(checker, entry);
  assertType(checker, entry);
  assertName(checker, entry);
}

function countEntry(checker: Checker, entry: Entry): void {
  checker.count += 1;
  checker.size += entry.path.length + entry.link.length;
  for (const [name, value] of entry.xattrs) checker.size += name.length + value.length;
  if (Math.max(checker.count, checker.kinds.size) <= maxEntries && checker.size <= maxIndexSize)
    return;
  const message = `the layer has more than ${maxEntries} paths, or ${maxIndexSize} bytes of names`;
  throw refuseTar("layer-too-many-entries", message, checker.file);
}

function assertType(checker: Checker, { type, path }: Entry): void {
  if (type !== "character-device" && type !== "block-device") return;
  if (checker.allowDevices) return;
  throw refuseTar("layer-tar-device", `${showBytes(path)} is a device`, checker.file);
}

function assertName(checker: Checker, entry: Entry): void {
  const { path, type } = entry;
  if (path.length > maxPath) {
    const message = `${showBytes(path)} is longer than ${maxPath} bytes`;
    throw refuseTar("layer-tar-broken", message, checker.file);
  }
  if (path === "") {
    if (type === "directory") return;
    throw refuseTar(
      "layer-tar-broken",
      "an entry that is not a directory has no name",
      checker.file,
    );
  }
  if (!path.includes(".wh.")) return;
  const parts = path.split("/");
  const last = parts.pop() ?? "";
  const inside = parts.find((part) => part.startsWith(".wh."));
  const isPlain = type === "file" && entry.size === 0;
  if (inside === undefined && (!last.startsWith(".wh.") || (isPlain && isWhiteoutName(last))))
    return;
  const message = `${showBytes(path)} is not a valid whiteout`;
  throw refuseTar("layer-tar-whiteout", message, checker.file);
}

/** `.wh.` alone, and those of `.` and `..`, would remove a directory and all that is in it. */
function isWhiteoutName(name: ByteString): boolean {
  const removed = name.slice(".wh.".length);
  if (removed.startsWith(".wh.")) return removed === ".wh..opq";
  return removed !== "" && removed !== "." && removed !== "..";
}

function assertFree(checker: Checker, { path, type }: Entry): void {
  const known = checker.kinds.get(path);
  if (known === "implied" && type !== "directory") {
    const message = `${showBytes(path)} is not a directory, but other entries are inside it`;
    throw refuseTar("layer-tar-path-through-link", message, checker.file);
  }
  if (known !== undefined && known !== "implied") {
    throw refuseTar("layer-tar-duplicate-path", `${showBytes(path)} appears twice`, checker.file);
  }
  assertParents(checker, path);
}

function assertParents(checker: Checker, path: ByteString): void {
  let slash = path.lastIndexOf("/");
  while (slash > 0) {
    const parent = path.slice(0, slash);
    const kind = checker.kinds.get(parent);
    if (kind === "directory" || kind === "implied") return;
    if (kind !== undefined) {
      const message = `${showBytes(path)} is inside ${showBytes(parent)}, which is not a directory`;
      throw refuseTar("layer-tar-path-through-link", message, checker.file);
    }
    checker.kinds.set(parent, "implied");
    slash = parent.lastIndexOf("/");
  }
}

function assertTarget(checker: Checker, { path, link }: Entry): void {
  const kind = checker.kinds.get(link);
  if (kind !== undefined && kind !== "directory" && kind !== "implied" && link !== path) return;
  const message = `${showBytes(path)} is a hard link to ${showBytes(link)}, but no file of that path comes before it`;
  throw refuseTar("layer-tar-link-target", message, checker.file);
}
