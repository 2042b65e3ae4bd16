import { blockSize, type ArchivedEntry, type ByteString } from "./entry.ts";
import type { SparseMap } from "./sparse.ts";

/** Where a reader stands in an archive. */
export interface ReaderState {
  readonly file: string;
  readonly onEntry: (entry: ArchivedEntry) => void;
  /** Behind the block at hand, in bytes from the archive's start. */
  offset: number;
  phase: "header" | "extended" | "sparse" | "end" | "padding";
  /** Bytes of data and padding still to be passed over. */
  skip: number;
  /** A block that the chunks have cut. */
  readonly partial: Buffer;
  filled: number;
  extended: { readonly type: string; readonly bytes: Buffer; filled: number } | undefined;
  /** What extended headers said about the next entry. */
  pax: Map<string, ByteString> | undefined;
  longName: ByteString | undefined;
  longLink: ByteString | undefined;
  sparse: SparseMap | undefined;
  /** Bytes of zeros behind the end. */
  padding: number;
}

export function createReaderState(
  file: string,
  onEntry: (entry: ArchivedEntry) => void,
): ReaderState {
  return {
    file,
    onEntry,
    offset: 0,
    phase: "header",
    skip: 0,
    partial: Buffer.alloc(blockSize),
    filled: 0,
    extended: undefined,
    pax: undefined,
    longName: undefined,
    longLink: undefined,
    sparse: undefined,
    padding: 0,
  };
}
