import { type ArchivedEntry, createTarReader, refuse } from "../../archive/archive.ts";

/** Who takes an archive's entries, and the data of each behind it. */
export interface EntrySink {
  readonly start: (entry: ArchivedEntry) => void;
  readonly data: (bytes: Buffer) => void;
  /** The data of the entry are whole. */
  readonly finish: () => void;
}

/** Hands on the entries of an archive as its bytes come. Errors: `layer-tar-...`, those of the sink. */
export async function readEntries(
  archive: AsyncIterable<Uint8Array>,
  sink: EntrySink,
  signal: AbortSignal,
): Promise<void> {
  const shown = "output";
  /** The chunk at hand, its place in the archive, and how much of the entry's data is still to come. */
  let chunk: Buffer = Buffer.alloc(0);
  let start = 0;
  let left = 0;
  const takeData = (from: number): void => {
    if (left === 0) return;
    const data = chunk.subarray(from, from + left);
    left -= data.length;
    if (data.length > 0) sink.data(data);
    if (left === 0) sink.finish();
  };
  const reader = createTarReader(shown, (entry) => {
    if (entry.sparse !== undefined) {
      const hint = "use a builder that writes plain archives";
      throw refuse("layer-tar-broken", "a file is sparse", { file: shown, hint });
    }
    sink.start(entry);
    if (entry.dataSize === 0) return sink.finish();
    left = entry.dataSize;
    return takeData(entry.dataOffset - start);
  });
  for await (const bytes of archive) {
    signal.throwIfAborted();
    chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    takeData(0);
    reader.write(chunk);
    start += chunk.length;
  }
  reader.end();
}
