/** Bytes as text, one character a byte (latin1): compares bytewise, and is small in memory. */
export type ByteString = string;

export type EntryType =
  | "file"
  | "hard-link"
  | "symlink"
  | "character-device"
  | "block-device"
  | "directory"
  | "fifo";

/** Where the data of a sparse file lie in it; what is between them is zeros. Ascending, in bytes. */
export interface Segment {
  readonly offset: number;
  readonly length: number;
}

/** One file of a layer, whatever it was read from. */
export interface Entry {
  /** Without a leading `/` or `./`, without a trailing `/`; empty for the root. */
  readonly path: ByteString;
  readonly type: EntryType;
  /** Permission bits, set-id bits and sticky bit. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whole seconds since 1970, rounded down. */
  readonly mtime: number;
  /** Of a file's content in bytes; 0 for everything else. */
  readonly size: number;
  /** A symlink's target as it is; a hard link's as a path of this layer. */
  readonly link: ByteString;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** By name, ascending. */
  readonly xattrs: readonly (readonly [name: ByteString, value: ByteString])[];
}

/** An entry of an archive, with the place of its data. */
export interface ArchivedEntry extends Entry {
  /** In the archive, in bytes. */
  readonly dataOffset: number;
  /** Bytes in the archive; less than `size` for a sparse file. */
  readonly dataSize: number;
  readonly sparse: readonly Segment[] | undefined;
}

/** Longer paths cannot be made on Linux (PATH_MAX without the NUL). Bytes. */
export const maxPath = 4095;

/** Size of a tar block in bytes. */
export const blockSize = 512;

/** The bytes that fill a block up behind so many bytes of data. */
export function paddingOf(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}
