import { lutimesSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ArchivedEntry, ByteString, Entry } from "../../archive/archive.ts";
import type { ReceiveCount, ReceiveLimits } from "./limits.ts";
import type { Original, Originals } from "./originals.ts";
import { refuseEntry, refuseType } from "./problems.ts";
import {
  createSpoolArchive,
  createSpoolFile,
  readPieces,
  type SpoolArchive,
  type SpoolFile,
} from "./spool.ts";

export interface ReceiverPlaces {
  readonly output: string;
  /** A directory for the archives of trees. */
  readonly spools: string;
  /** Those, by the trees' names. */
  readonly trees: Map<ByteString, string>;
  readonly limits: ReceiveLimits;
}

/** A directory that is coming, whose files stay in an archive. */
interface Tree {
  /** Its path and a slash. */
  readonly prefix: ByteString;
  readonly path: string;
  readonly archive: SpoolArchive;
  readonly isLayer: boolean;
  /** Bytes of its files so far. */
  size: number;
  /** Files of others that have names here, by what they are there. */
  readonly copies: Map<Original, ByteString>;
}

/** Where the data of an entry go. */
export interface Target {
  readonly write: (bytes: Uint8Array) => void;
  readonly finish: () => void;
}

/** What is being received. */
export interface State extends ReceiverPlaces {
  readonly originals: Originals;
  readonly counted: ReceiveCount;
  tree: Tree | undefined;
  /** A file that stands alone, while it is coming. */
  file: SpoolFile | undefined;
  target: Target;
  /** Archives so far. */
  count: number;
  /** Bytes that hard links have had copied. */
  copied: number;
}

export const nowhere: Target = { write: () => undefined, finish: () => undefined };

/** A directory whose files stay in an archive. Errors: those of mkdir(2), `layers-too-many`, `layer-too-many-entries`. */
export function beginTree(state: State, path: ByteString, isLayer: boolean): Target {
  if (isLayer) state.counted.addLayer();
  else state.counted.addAside();
  mkdirSync(pathOf(state, path), { mode: 0o700 });
  const archive = join(state.spools, `${state.count}.tar`);
  state.count += 1;
  if (isLayer) state.trees.set(path.slice("layers/".length), archive);
  state.tree = {
    prefix: `${path}/`,
    path: archive,
    archive: createSpoolArchive(archive),
    isLayer,
    size: 0,
    copies: new Map(),
  };
  return nowhere;
}

/** The archive of the one that is coming is whole. */
export function endTree(state: State): void {
  const { tree } = state;
  if (tree === undefined) return;
  tree.archive.end();
  state.tree = undefined;
  state.originals.addArchive(tree.prefix, tree.path);
}

/** Errors: `layer-tar-broken`, for a hard link to what did not come. */
export function putInTree(state: State, tree: Tree, entry: ArchivedEntry): Target {
  const { archive, prefix } = tree;
  const path = entry.path.slice(prefix.length);
  const isLink = entry.type === "hard-link";
  if (isLink && !entry.link.startsWith(prefix)) {
    putCopy(state, { tree, path }, findOriginal(state, entry.link));
    return nowhere;
  }
  growTree(state, tree, entry);
  const link = isLink ? entry.link.slice(prefix.length) : entry.link;
  archive.startEntry({ ...entry, path, link });
  return { write: archive.write, finish: () => archive.endData(entry.size) };
}

/** What it says of its size counts before its data come. */
function growTree({ counted }: State, tree: Tree, { size }: Pick<Entry, "size">): void {
  tree.size += size;
  if (tree.isLayer) counted.checkLayer(tree.prefix.slice(0, -1), tree.size);
}

interface TreePlace {
  readonly tree: Tree;
  readonly path: ByteString;
}

/** In a layer of its own the first name of a file that another layer has, too, is a file like any. */
function putCopy(state: State, { tree, path }: TreePlace, original: Original): void {
  const { archive, copies } = tree;
  const { entry } = original;
  const link = copies.get(original);
  if (link !== undefined) {
    archive.startEntry({ ...entry, path, type: "hard-link", link, size: 0, xattrs: [] });
    return;
  }
  growTree(state, tree, entry);
  archive.startEntry({ ...entry, path });
  if (entry.type !== "file") return;
  copies.set(original, path);
  copyData(state, original, archive.write);
  archive.endData(entry.size);
}

/** A file or directory of this machine. Errors: the system's, as for `putInTree`. */
export function putPlain(state: State, entry: ArchivedEntry): Target {
  const path = pathOf(state, entry.path);
  if (entry.type === "directory") {
    state.counted.addDirectory();
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return nowhere;
  }
  const linked = entry.type === "hard-link" ? findOriginal(state, entry.link) : undefined;
  const original = linked ?? { entry, path, start: 0 };
  const { type, mode, mtime, size } = original.entry;
  if (type !== "file") throw refuseType(entry.path, type);
  if (entry.path.startsWith("layers/")) state.counted.checkLayer(entry.path, size);
  const file = createSpoolFile(path, 0o600 | (mode & 0o100));
  state.file = file;
  if (linked !== undefined) copyData(state, linked, file.write);
  const finish = (): void => {
    file.end();
    state.file = undefined;
    // Node takes a time before 1970 for now.
    lutimesSync(path, Math.max(0, mtime), Math.max(0, mtime));
    state.originals.keep(entry.path, original);
  };
  return { write: file.write, finish };
}

function findOriginal({ originals }: State, name: ByteString): Original {
  const original = originals.find(name);
  if (original !== undefined) return original;
  throw refuseEntry(name, "a hard link points to it, but it did not come before");
}

function copyData(state: State, { entry, path, start }: Original, write: Target["write"]): void {
  state.copied += entry.size;
  const { maxCopied } = state.limits;
  if (state.copied > maxCopied)
    throw refuseEntry(entry.path, `hard links have more than ${maxCopied} bytes copied`);
  for (const piece of readPieces(path, start, entry.size)) write(piece);
}

function pathOf({ output }: State, path: ByteString): Buffer {
  return Buffer.concat([Buffer.from(`${output}/`), Buffer.from(path, "latin1")]);
}
