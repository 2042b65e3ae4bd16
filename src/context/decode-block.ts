import {
  checksumWord,
  columns,
  type Columns,
  digestBytes,
  digestMark,
  type Known,
  linkedMark,
  measureBlock,
  openColumns,
  openHead,
  sumBlock,
  trustShift,
} from "./block-layout.ts";
import { type Entry, type Trust, trust } from "./entry.ts";

/** To look at an entry of it costs no more than an index. */
export interface Block {
  readonly count: number;
  readonly checksum: number;
  /** All of it. */
  readonly buffer: ArrayBuffer;
  readonly isLinkedAt: (at: number) => boolean;
  readonly pathAt: (at: number) => string;
  readonly modeAt: (at: number) => number;
  /**
   * Whether the entry there, of the same path, looks as this one does in all that changes whenever a content does, and
   * can be trusted that far.
   */
  readonly isSame: (at: number, entry: Entry, needed: Trust) => boolean;
  readonly contentAt: (at: number) => string;
  readonly knownAt: (at: number) => Known;
}

/** @returns undefined where it is damaged, or does not stand behind the block of that checksum */
export function decodeBlock(buffer: ArrayBuffer, before: number): Block | undefined {
  const head = openHead(buffer);
  const [count = 0, pathBytes = 0, moreBytes = 0, isWide] = head;
  const checksum = head[checksumWord] ?? 0;
  const isWhole = measureBlock(head) === buffer.byteLength;
  if (!isWhole || sumBlock(buffer, before) !== checksum) return undefined;
  const parts = openColumns(buffer, count);
  const read = (from: number, length: number): readonly string[] =>
    parts.bytes.toString(isWide === 1 ? "utf16le" : "utf8", from, from + length).split("\0");
  const paths = splitPaths(read(parts.textsAt, pathBytes));
  let more: readonly string[] | undefined;
  const moreAt = (at: number): string =>
    (more ??= read(parts.textsAt + pathBytes, moreBytes))[at] ?? "";
  const pathAt = (at: number): string => paths[at] ?? "";
  const contentAt = (at: number): string => `${readDigest(parts, at)}${moreAt(at)}`;
  return {
    count,
    checksum,
    buffer,
    isLinkedAt: (at) => ((parts.words[at * columns] ?? 0) & linkedMark) !== 0,
    pathAt,
    modeAt: (at) => readMode(parts, at),
    isSame: createComparison(parts),
    contentAt,
    knownAt: (at) => ({
      entry: readEntry(parts, at, pathAt(at)),
      content: contentAt(at),
      trust: readTrust(parts, at),
    }),
  };
}

function splitPaths(fields: readonly string[]): readonly string[] {
  const paths: string[] = [];
  let path = "";
  for (let at = 0; at + 1 < fields.length; at += 2) {
    path = path.slice(0, Number.parseInt(fields[at] ?? "", 36)) + (fields[at + 1] ?? "");
    paths.push(path);
  }
  return paths;
}

function readDigest({ words, bytes, digestsAt }: Columns, at: number): string {
  if (((words[at * columns] ?? 0) & digestMark) === 0) return "";
  const first = digestsAt + at * digestBytes;
  return bytes.toString("hex", first, first + digestBytes);
}

function createComparison({ doubles, words }: Columns): Block["isSame"] {
  return (at, entry, needed) => {
    const first = at * columns;
    const marked = words[first] ?? 0;
    return (
      marked >> trustShift >= needed &&
      (marked & (digestMark - 1)) === entry.mode &&
      doubles[first + 2] === entry.ctimeMs &&
      doubles[first + 1] === entry.mtimeMs &&
      doubles[first] === entry.size &&
      doubles[first + 3] === entry.ino &&
      // Which names are one file is told by the device, too, and that of a file system may be another when it is mounted again.
      (!entry.isLinked || words[first + 3] === entry.dev)
    );
  };
}

function readMode({ words }: Pick<Columns, "words">, at: number): number {
  return (words[at * columns] ?? 0) & (digestMark - 1);
}

function readEntry({ doubles, words }: Columns, at: number, path: string): Entry {
  const first = at * columns;
  const marked = words[first] ?? 0;
  return {
    path,
    mode: readMode({ words }, at),
    uid: words[first + 1] ?? 0,
    gid: words[first + 2] ?? 0,
    dev: words[first + 3] ?? 0,
    ino: doubles[first + 3] ?? 0,
    size: doubles[first] ?? 0,
    mtimeMs: doubles[first + 1] ?? 0,
    ctimeMs: doubles[first + 2] ?? 0,
    isLinked: (marked & linkedMark) !== 0,
  };
}

function readTrust({ words }: Columns, at: number): Trust {
  const found = (words[at * columns] ?? 0) >> trustShift;
  return found === trust.settled || found === trust.recent ? found : trust.none;
}
