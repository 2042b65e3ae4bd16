import { lutimesSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type ArchivedEntry, type ByteString, refuse, showBytes } from "../../archive/archive.ts";
import type { EntrySink } from "./entry-data.ts";
import {
  createSpoolArchive,
  createSpoolFile,
  findInArchive,
  readPieces,
  type SpoolArchive,
} from "./spool.ts";

export interface ReceiverPlaces {
  readonly output: string;
  /** A directory for the archives of trees. */
  readonly spools: string;
  /** Those, by the trees' names. */
  readonly trees: Map<ByteString, string>;
}

export interface Receiver extends EntrySink {
  /** The archive is whole. */
  readonly end: () => void;
  /** It will not be. */
  readonly discard: () => void;
}

/** A tree that is coming. */
interface Tree {
  readonly name: ByteString;
  readonly archive: SpoolArchive;
}

/** Where the data of an entry go. */
interface Target {
  readonly write: (bytes: Uint8Array) => void;
  readonly finish: () => void;
}

const nowhere: Target = { write: () => undefined, finish: () => undefined };

/** Puts each entry where it belongs: archives walk a directory at a time, so one tree comes behind the other. */
export function createReceiver({ output, spools, trees }: ReceiverPlaces): Receiver {
  let tree: Tree | undefined;
  let target = nowhere;
  const endTree = (): void => {
    const ended = tree;
    tree = undefined;
    ended?.archive.end();
  };
  const pathOf = (path: ByteString): Buffer =>
    Buffer.concat([Buffer.from(`${output}/`), Buffer.from(path, "latin1")]);
  const beginTree = (name: ByteString): Target => {
    endTree();
    const path = join(spools, `${trees.size}.tar`);
    mkdirSync(pathOf(`layers/${name}`), { mode: 0o700 });
    trees.set(name, path);
    tree = { name, archive: createSpoolArchive(path) };
    return nowhere;
  };
  const putInTree = ({ name, archive }: Tree, entry: ArchivedEntry): Target => {
    const prefix = `layers/${name}/`;
    const path = entry.path.slice(prefix.length);
    const isOfOther = entry.type === "hard-link" && !entry.link.startsWith(prefix);
    if (isOfOther) return putCopy(archive, { ...entry, path }, findData(entry.link));
    const link = entry.type === "hard-link" ? entry.link.slice(prefix.length) : entry.link;
    archive.startEntry({ ...entry, path, link });
    return { write: archive.write, finish: () => archive.endData(entry.size) };
  };
  const findData = (path: ByteString): FileData => {
    const [, name = "", rest = ""] = /^layers\/([^/]*)\/(.*)$/s.exec(path) ?? [];
    const archive = trees.get(name);
    if (archive === undefined) return { path: pathOf(path), start: 0, size: sizeOf(pathOf(path)) };
    const found = findInArchive(archive, rest);
    if (found === undefined)
      throw refuseEntry(path, "a hard link points to it, but it did not come");
    return { path: archive, start: found.dataOffset, size: found.dataSize };
  };
  const putPlain = (entry: ArchivedEntry): Target => {
    const path = pathOf(entry.path);
    if (entry.type === "directory") {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      return nowhere;
    }
    if (entry.type === "hard-link") {
      const data = findData(entry.link);
      const copy = createSpoolFile(path);
      for (const piece of readPieces(data.path, data.start, data.size)) copy.write(piece);
      copy.end();
      return nowhere;
    }
    const file = createSpoolFile(path, 0o600 | (entry.mode & 0o100));
    const finish = (): void => {
      file.end();
      lutimesSync(path, entry.mtime, entry.mtime);
    };
    return { write: file.write, finish };
  };
  const choose = (entry: ArchivedEntry): Target => {
    const [first = "", second, ...deeper] = entry.path.split("/");
    if (entry.path === "") return nowhere;
    const isFile = entry.type === "file" || entry.type === "hard-link";
    if (first === "layers" && second !== undefined) {
      if (deeper.length > 0) {
        if (tree?.name !== second)
          throw refuseEntry(entry.path, "its directory did not come before it");
        return putInTree(tree, entry);
      }
      if (entry.type === "directory") return beginTree(second);
      if (isFile) return putPlain(entry);
      throw refuseType(entry, "file or directory");
    }
    const isKnown = ["layers", "blobs", "state"].includes(first);
    // What belongs nowhere is told of by its name.
    if (!isKnown && second !== undefined) return nowhere;
    if (isFile || entry.type === "directory") return putPlain(entry);
    if (first === "state" && second !== undefined) return nowhere;
    throw refuseType(entry, "file or directory");
  };
  return {
    start: (entry) => {
      target = choose(entry);
    },
    data: (bytes) => target.write(bytes),
    finish: () => target.finish(),
    end: endTree,
    discard: () => {
      try {
        endTree();
      } catch {
        // It is of no use any more.
      }
    },
  };
}

/** Where the bytes of a file lie on this machine. */
interface FileData {
  readonly path: Buffer | string;
  readonly start: number;
  readonly size: number;
}

/** In a layer of its own a name of a file that another layer has, too, is a file like any. */
function putCopy(archive: SpoolArchive, entry: ArchivedEntry, data: FileData): Target {
  const { path, start, size } = data;
  archive.startEntry({ ...entry, type: "file", link: "", size });
  for (const piece of readPieces(path, start, size)) archive.write(piece);
  archive.endData(size);
  return nowhere;
}

function sizeOf(path: Buffer): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isFile() === true) return stats.size;
  throw refuseEntry(path.toString("latin1"), "a hard link points to it, but it did not come");
}

function refuseEntry(path: ByteString, message: string): Error {
  const hint = "build again, with another builder if that does not help";
  return refuse("layer-tar-broken", message, { file: `output/${showBytes(path)}`, hint });
}

function refuseType({ path, type }: ArchivedEntry, wanted: string): Error {
  const message = `it is a ${type.replace("-", " ")}, but must be a ${wanted}`;
  const hint = "put a plain file or directory there; links are not followed";
  return refuse("output-file-type", message, { file: `output/${showBytes(path)}`, hint });
}
