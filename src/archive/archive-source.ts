import { closeSync, openSync, readSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createExpander, detectCompression } from "./compress/expand.ts";
import type { Compression } from "./model.ts";
import { packArchive, type ArchiveFile } from "./pack/pack-archive.ts";
import type { PackStream } from "./pack/stream.ts";
import { readChunks, readStart } from "./read/blob.ts";
import { assertUnchanged, closeFile, type OutputFile } from "./read/directory.ts";
import { changed } from "./read/problems.ts";
import { tooLarge } from "./refuse.ts";
import type { ArchivedEntry, Entry } from "./tar/entry.ts";
import { createTarReader } from "./tar/reader.ts";
import { createTurns } from "../system/turns.ts";
import { writeWhole } from "../system/write-whole.ts";

/** What a loose layer is packed from, as often as it takes. */
export interface LayerSource {
  readonly pack: (stream: PackStream) => Promise<void>;
  readonly close: () => void;
}

/** Where a compressed archive is expanded to, and how large it may be then, in bytes. */
interface ArchiveOptions {
  /** A directory for what is unfinished. */
  readonly staging: string;
  /** Bytes. */
  readonly maxLayerSize: number;
  readonly signal?: AbortSignal | undefined;
}

const windowSize = 64 * 1024;
let count = 0;

/**
 * Reads the headers of a loose archive; a compressed one is expanded into a nameless file of the staging
 * directory first. Closes `file` in the end. Errors: `layer-...`, `output-changed`.
 */
export async function openArchive(
  file: OutputFile,
  options: ArchiveOptions,
  check: (entry: Entry) => void,
): Promise<LayerSource> {
  const opened: number[] = [];
  const close = (): void => {
    for (const fd of opened.splice(0)) closeSync(fd);
    closeFile(file);
  };
  try {
    const compression = detectCompression(await readStart(file, 4));
    if (compression === "none")
      return await indexFile(file, { check, close, signal: options.signal });
    const fd = createNameless(options.staging);
    opened.push(fd);
    const size = await expandTo(fd, { file, compression }, options);
    const archive = { fd, shown: file.shown };
    const entries = await readIndex(archive, size, { check, signal: options.signal });
    return { pack: (stream) => packArchive(archive, entries, stream), close };
  } catch (error) {
    close();
    throw error;
  }
}

interface IndexOptions {
  readonly check: (entry: Entry) => void;
  readonly signal: AbortSignal | undefined;
}

async function indexFile(
  file: OutputFile,
  options: IndexOptions & Pick<LayerSource, "close">,
): Promise<LayerSource> {
  const entries = await readIndex(file, file.stats.size, options);
  const { close } = options;
  const pack = async (stream: PackStream): Promise<void> => {
    await packArchive(file, entries, stream);
    assertUnchanged(file);
  };
  return { pack, close };
}

/** A file that is gone when it is closed, whatever happens to us. */
function createNameless(staging: string): number {
  count += 1;
  const path = join(staging, `.expand-${process.pid}-${count}.tmp`);
  const fd = openSync(path, "wx+", 0o600);
  rmSync(path);
  return fd;
}

interface CompressedFile {
  readonly file: OutputFile;
  readonly compression: Compression;
}

/** Gives the size of what was written. */
async function expandTo(
  fd: number,
  { file, compression }: CompressedFile,
  options: ArchiveOptions,
): Promise<number> {
  const { shown } = file;
  let size = 0;
  const expander = createExpander(compression, shown, async (bytes) => {
    const at = size;
    size += bytes.length;
    if (size > options.maxLayerSize) throw tooLarge(shown, options.maxLayerSize);
    await writeWhole(fd, bytes, at);
  });
  try {
    await readChunks(file, expander.write, options.signal);
    await expander.end();
  } finally {
    await expander.stop();
  }
  return size;
}

/** Headers alone: data are passed over unread. */
async function readIndex(
  file: ArchiveFile,
  size: number,
  { check, signal }: IndexOptions,
): Promise<readonly ArchivedEntry[]> {
  const turn = createTurns(signal);
  const entries: ArchivedEntry[] = [];
  const reader = createTarReader(file.shown, (entry) => {
    check(entry);
    entries.push(entry);
  });
  const window = Buffer.allocUnsafeSlow(windowSize);
  let at = 0;
  while (at < size) {
    const length = readSync(file.fd, window, 0, Math.min(windowSize, size - at), at);
    if (length === 0) throw changed(file.shown);
    reader.write(window.subarray(0, length));
    at += length;
    at += reader.skip(size - at);
    await turn();
  }
  reader.end();
  return entries;
}
