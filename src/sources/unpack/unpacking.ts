import type { ArchivedEntry, ByteString } from "../../archive/archive.ts";
import type { XbuildError } from "../../errors.ts";
import { refuseArchive } from "../problems.ts";

export interface UnpackOptions {
  /** An empty directory that nobody else reaches. */
  readonly directory: string;
  readonly shown: string;
  /** Bytes that all files together may have. */
  readonly most: number;
}

export interface Unpacking extends UnpackOptions {
  readonly root: Buffer;
  /** All directories that stand there, by their paths: whatever else a path leads through is a link or a file. */
  readonly directories: Map<ByteString, DirectoryStatus>;
  open: OpenFile | undefined;
  entries: number;
  size: number;
}

export interface DirectoryStatus {
  readonly mode: number;
  readonly mtime: number | undefined;
}

/** A file whose data are coming by. */
export interface OpenFile {
  readonly entry: ArchivedEntry;
  readonly fd: number;
  /** Of its data, in bytes. */
  taken: number;
  /** Of a sparse file: which segment comes next or is being filled, and where in the data it begins. */
  segment: number;
  segmentStart: number;
}

export function refuseEntry({ shown }: Unpacking, reason: string): XbuildError {
  const hint = "pack only files, directories and links that stay in the context";
  return refuseArchive(shown, reason, hint);
}

export function pathOf({ root }: Unpacking, path: ByteString): Buffer {
  return Buffer.concat([root, Buffer.from(path, "latin1")]);
}
