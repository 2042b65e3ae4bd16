import { blockSize, type ArchivedEntry } from "./entry.ts";
import { locateProblem, refuseTar } from "./problems.ts";
import { takeExtended, takeHeader, takeSparse } from "./reader-blocks.ts";
import { createReaderState, type ReaderState } from "./reader-state.ts";

/** Bytes of zeros that may stand behind the end of an archive (tapes are written in large records). */
const maxPadding = 1024 * 1024;

export interface TarReader {
  /** Takes the next bytes of the archive; they are not kept. */
  readonly write: (chunk: Buffer) => void;
  /** Passes over the data that come next, at most so many bytes, as if they had been written; says how many. */
  readonly skip: (most: number) => number;
  /** To be called behind the last byte. */
  readonly end: () => void;
}

const zeros = Buffer.alloc(blockSize);

/**
 * Reads an archive's headers as its bytes come by, and judges its form: one entry, one call. `file` is its
 * name in errors, all of which are `layer-tar-...`. POSIX.1-2017, pax; GNU tar manual, "Basic Tar Format".
 */
export function createTarReader(file: string, onEntry: (entry: ArchivedEntry) => void): TarReader {
  const state = createReaderState(file, onEntry);
  return {
    write: (chunk) => {
      try {
        takeChunk(state, chunk);
      } catch (problem) {
        throw locateProblem(problem, file, state.offset);
      }
    },
    skip: (most) => skipData(state, most),
    end: () => assertEnded(state),
  };
}

function takeChunk(state: ReaderState, chunk: Buffer): void {
  let at = 0;
  while (at < chunk.length) {
    const left = chunk.length - at;
    if (state.skip > 0) {
      at += skipData(state, left);
    } else if (state.filled === 0 && left >= blockSize) {
      takeBlock(state, chunk.subarray(at, at + blockSize));
      at += blockSize;
    } else {
      at += fillBlock(state, chunk, at);
    }
  }
}

function skipData(state: ReaderState, left: number): number {
  const skipped = Math.min(state.skip, left);
  state.skip -= skipped;
  state.offset += skipped;
  return skipped;
}

function fillBlock(state: ReaderState, chunk: Buffer, at: number): number {
  const taken = Math.min(blockSize - state.filled, chunk.length - at);
  chunk.copy(state.partial, state.filled, at, at + taken);
  state.filled += taken;
  if (state.filled === blockSize) {
    state.filled = 0;
    takeBlock(state, state.partial);
  }
  return taken;
}

function takeBlock(state: ReaderState, block: Buffer): void {
  state.offset += blockSize;
  if (state.phase === "header") {
    if (block[0] === 0 && block.equals(zeros)) startEnd(state);
    else takeHeader(state, block);
  } else if (state.phase === "extended") takeExtended(state, block);
  else if (state.phase === "sparse") takeSparse(state, block);
  else takePadding(state, block);
}

function startEnd(state: ReaderState): void {
  const isDangling =
    state.pax !== undefined || state.longName !== undefined || state.longLink !== undefined;
  if (isDangling) {
    throw refuseTar("layer-tar-broken", "no entry follows an extended header", state.file);
  }
  state.phase = "end";
}

function takePadding(state: ReaderState, block: Buffer): void {
  if (!block.equals(zeros)) {
    const message =
      state.phase === "end"
        ? `there is a single block of zeros before byte ${state.offset - blockSize}`
        : `there is data after the archive's end, at byte ${state.offset - blockSize}`;
    throw refuseTar("layer-tar-trailing-data", message, state.file);
  }
  if (state.phase === "end") state.phase = "padding";
  else state.padding += blockSize;
  if (state.padding <= maxPadding) return;
  const message = `more than ${maxPadding} bytes follow the archive's end`;
  throw refuseTar("layer-tar-trailing-data", message, state.file);
}

function assertEnded(state: ReaderState): void {
  const isWhole = state.phase === "padding" && state.filled === 0;
  if (isWhole) return;
  if (state.phase === "padding") {
    const message = "the archive's last block is incomplete";
    throw refuseTar("layer-tar-trailing-data", message, state.file);
  }
  const message = `the archive ends at byte ${state.offset + state.filled} without its two blocks of zeros`;
  throw refuseTar("layer-tar-truncated", message, state.file);
}
