import { createHash, type Hash } from "node:crypto";
import { closeSync, createReadStream, fstatSync, openSync } from "node:fs";
import { createExpander, detectCompression, type Expander } from "../compress/expand.ts";
import type { ArchivedEntry } from "../tar/entry.ts";
import { createTarReader, type TarReader } from "../tar/reader.ts";
import type { OutputFile } from "./directory.ts";
import { toFileStats } from "./stats.ts";

/** A layer's bytes on this machine, compressed or not. */
export interface LayerFile {
  readonly path: string;
  /** The layer's name in errors. */
  readonly shown: string;
}

/** Gets an entry and the sha256 of its data in base64; "" where it has none. */
export type OnContent = (entry: ArchivedEntry, content: string) => void;

const chunkSize = 1024 * 1024;

/**
 * Reads a layer's entries in the order of the archive, the data of each but as far as to hash it: memory
 * holds some chunks and no layer. Errors: `layer-tar-...`, `layer-compression-...`, `zstd-not-found`.
 */
export async function readLayerFile(
  file: LayerFile,
  onContent: OnContent,
  signal?: AbortSignal,
): Promise<void> {
  const reader = createContentReader(file.shown, onContent);
  let expander: Expander | undefined;
  try {
    const chunks: AsyncIterable<Buffer> = createReadStream(file.path, { highWaterMark: chunkSize });
    for await (const chunk of chunks) {
      signal?.throwIfAborted();
      expander ??= createExpander(detectCompression(chunk), file.shown, reader.write);
      await expander.write(chunk);
    }
    await expander?.end();
    reader.end();
  } finally {
    await expander?.stop();
  }
}

/** Opens a layer's file of ours for reading. */
export function openLayer({ path, shown }: LayerFile): OutputFile {
  const fd = openSync(path, "r");
  try {
    return { fd, shown, stats: toFileStats(fstatSync(fd, { bigint: true })) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** A file of the archive whose data are coming by. */
interface OpenFile {
  readonly entry: ArchivedEntry;
  readonly hash: Hash;
  /** Bytes still to come. */
  left: number;
}

function createContentReader(
  shown: string,
  onContent: OnContent,
): Pick<TarReader, "write" | "end"> {
  let open: OpenFile | undefined;
  /** The chunk at hand, and its place in the archive. */
  let chunk: Buffer = Buffer.alloc(0);
  let start = 0;
  const takeData = (from: number): void => {
    if (open === undefined) return;
    const { entry, hash } = open;
    const data = chunk.subarray(from, from + open.left);
    hash.update(data);
    open.left -= data.length;
    if (open.left > 0) return;
    open = undefined;
    onContent(entry, hash.digest("base64"));
  };
  const reader = createTarReader(shown, (entry) => {
    if (entry.dataSize === 0) return onContent(entry, "");
    open = { entry, hash: createHash("sha256"), left: entry.dataSize };
    return takeData(entry.dataOffset - start);
  });
  return {
    write: (bytes) => {
      chunk = bytes;
      takeData(0);
      reader.write(bytes);
      start += bytes.length;
    },
    end: reader.end,
  };
}
