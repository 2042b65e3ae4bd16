import {
  checksumWord,
  columns,
  digestBytes,
  digestMark,
  hasDigest,
  headBytes,
  type Known,
  linkedMark,
  measureBlock,
  openColumns,
  openDigest,
  openHead,
  sumBlock,
  trustShift,
} from "./block-layout.ts";
import { hasLoneSurrogate } from "./names.ts";

/** @param digest of what the entries are */
export function encodeBlock(entries: readonly Known[], digest: Uint8Array): ArrayBuffer {
  const marked = entries.map(hasDigest);
  const rest = entries.map(({ content }, at) =>
    marked[at] === true ? content.slice(2 * digestBytes) : content,
  );
  const texts = [joinPaths(entries), rest.join("\0")] as const;
  // Bytes of a name that are no UTF-8 are lone surrogates.
  const isWide = texts.some(hasLoneSurrogate);
  const [paths, more] = texts.map((text) => Buffer.from(text, isWide ? "utf16le" : "utf8"));
  const [pathBytes, moreBytes] = [paths?.length ?? 0, more?.length ?? 0];
  const head = Uint32Array.of(entries.length, pathBytes, moreBytes, isWide ? 1 : 0);
  const buffer = new ArrayBuffer(measureBlock(head) ?? headBytes);
  const { doubles, words, bytes, digestsAt, textsAt } = openColumns(buffer, entries.length);
  for (const [at, known] of entries.entries()) {
    const { entry, content } = known;
    const isDigest = marked[at] === true;
    const first = at * columns;
    doubles[first] = entry.size;
    doubles[first + 1] = entry.mtimeMs;
    doubles[first + 2] = entry.ctimeMs;
    doubles[first + 3] = entry.ino;
    words[first] = markMode(known) | (isDigest ? digestMark : 0);
    words[first + 1] = entry.uid;
    words[first + 2] = entry.gid;
    words[first + 3] = entry.dev;
    if (isDigest) bytes.write(content, digestsAt + at * digestBytes, digestBytes, "hex");
  }
  bytes.set(paths ?? [], textsAt);
  bytes.set(more ?? [], textsAt + pathBytes);
  openHead(buffer).set(head);
  openDigest(buffer).set(digest);
  return buffer;
}

/** Lets it stand behind the block of this checksum. @returns its own */
export function chainBlock(buffer: ArrayBuffer, before: number): number {
  const checksum = sumBlock(buffer, before);
  openHead(buffer)[checksumWord] = checksum;
  return checksum;
}

function joinPaths(entries: readonly Known[]): string {
  let before = "";
  const parts = entries.map(({ entry: { path } }) => {
    const kept = countShared(before, path);
    before = path;
    return `${kept.toString(36)}\0${path.slice(kept)}`;
  });
  return parts.join("\0");
}

function countShared(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  let at = 0;
  while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at += 1;
  return at;
}

function markMode({ entry, trust }: Known): number {
  return entry.mode | (entry.isLinked ? linkedMark : 0) | (trust << trustShift);
}
