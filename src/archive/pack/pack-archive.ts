import { readSync } from "node:fs";
import { changed } from "../read/problems.ts";
import type { ArchivedEntry, ByteString, Entry, Segment } from "../tar/entry.ts";
import type { PackStream } from "./stream.ts";

/** A file that holds a plain archive. */
export interface ArchiveFile {
  readonly fd: number;
  /** As the build names it. */
  readonly shown: string;
}

/** An archive that is being packed. */
interface ArchivePacking {
  readonly file: ArchiveFile;
  readonly stream: PackStream;
}

const zeros = Buffer.alloc(64 * 1024);

/**
 * Writes the files of an archive in canonical order: their headers have been read (`entries`, checked),
 * their data are read now. Errors: `output-changed`, `layer-too-large`.
 */
export async function packArchive(
  file: ArchiveFile,
  entries: readonly ArchivedEntry[],
  stream: PackStream,
): Promise<void> {
  const packing: ArchivePacking = { file, stream };
  for (const entry of sortEntries(entries)) {
    await stream.turn();
    stream.startEntry(entry);
    if (entry.type !== "file" || entry.size === 0) continue;
    if (entry.sparse === undefined) await copyData(packing, entry.dataOffset, entry.size);
    else await copySparse(packing, entry, entry.sparse);
    stream.endData(entry.size);
  }
}

/** By path, without the root; of a file with several names the first one gets the data. */
function sortEntries(entries: readonly ArchivedEntry[]): ArchivedEntry[] {
  const sorted = entries
    .filter((entry) => entry.path !== "")
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  if (!sorted.some((entry) => entry.type === "hard-link")) return sorted;
  const originals = findOriginals(entries);
  const firsts = new Map<ArchivedEntry, ByteString>();
  return sorted.map(({ path }) => {
    const original = originals.get(path);
    if (original === undefined) throw new Error("an entry was lost");
    const first = firsts.get(original);
    if (original.type === "file" && first !== undefined) return linkTo(path, first, original);
    firsts.set(original, path);
    return rename(original, path);
  });
}

/** What each hard link stands for in the end; a link names an entry that stands before it. */
function findOriginals(entries: readonly ArchivedEntry[]): ReadonlyMap<ByteString, ArchivedEntry> {
  const originals = new Map<ByteString, ArchivedEntry>();
  for (const entry of entries) {
    const target = entry.type === "hard-link" ? originals.get(entry.link) : undefined;
    originals.set(entry.path, target ?? entry);
  }
  return originals;
}

function rename(entry: ArchivedEntry, path: ByteString): ArchivedEntry {
  return entry.path === path ? entry : { ...entry, path };
}

function linkTo(path: ByteString, link: ByteString, original: ArchivedEntry): ArchivedEntry {
  const none = { size: 0, dataSize: 0, sparse: undefined, xattrs: [] } satisfies Partial<
    Entry & ArchivedEntry
  >;
  return { ...original, ...none, path, type: "hard-link", link };
}

async function copySparse(
  packing: ArchivePacking,
  entry: ArchivedEntry,
  segments: readonly Segment[],
): Promise<void> {
  const { stream } = packing;
  let at = 0;
  let source = entry.dataOffset;
  for (const { offset, length } of segments) {
    await putZeros(stream, offset - at);
    await copyData(packing, source, length);
    source += length;
    at = offset + length;
  }
  await putZeros(stream, entry.size - at);
}

async function putZeros(stream: PackStream, length: number): Promise<void> {
  let left = length;
  while (left > 0) {
    const room = stream.room();
    const filled = zeros.copy(room, 0, 0, Math.min(left, room.length, zeros.length));
    stream.advance(filled);
    left -= filled;
    await stream.turn();
  }
}

async function copyData(
  { file, stream }: ArchivePacking,
  offset: number,
  length: number,
): Promise<void> {
  let done = 0;
  while (done < length) {
    const room = stream.room();
    const read = readSync(file.fd, room, 0, Math.min(length - done, room.length), offset + done);
    if (read === 0) throw changed(file.shown);
    stream.advance(read);
    done += read;
    if (done < length) await stream.turn();
  }
}
