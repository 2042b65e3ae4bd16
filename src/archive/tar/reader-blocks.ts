import { showBytes } from "../refuse.ts";
import { paddingOf, type ArchivedEntry, type ByteString } from "./entry.ts";
import { HeaderProblem, parseHeader, parseOldSparse, parseSparseBlock } from "./header.ts";
import { maxExtendedHeader, parsePax } from "./pax.ts";
import { refuseTar } from "./problems.ts";
import type { ReaderState } from "./reader-state.ts";
import { resolveEntry } from "./resolve.ts";
import {
  addSegments,
  finishSparse,
  readSparseText,
  startMap,
  startSparse,
  type SparseMap,
} from "./sparse.ts";

/** A header block that is not the end's. */
export function takeHeader(state: ReaderState, block: Buffer): void {
  const header = parseHeader(block);
  if ("xgLK".includes(header.typeflag)) {
    startExtended(state, header.typeflag, header.size);
    return;
  }
  const entry = resolveEntry(header, state, state.file);
  const { pax } = state;
  if (header.typeflag === "S") {
    const { map, realSize, more } = parseOldSparse(block);
    continueSparse(state, { entry, map, realSize, more, text: startMap() });
  } else if (pax !== undefined && hasSparseMap(pax)) {
    continueSparse(state, startSparse(entry, pax));
  } else {
    finishEntry(state, entry);
  }
}

function hasSparseMap(pax: ReadonlyMap<string, ByteString>): boolean {
  return [...pax.keys()].some((key) => key.startsWith("GNU.sparse."));
}

function startExtended(state: ReaderState, type: string, size: number): void {
  const isTwice =
    (type === "x" && state.pax !== undefined) ||
    (type === "L" && state.longName !== undefined) ||
    (type === "K" && state.longLink !== undefined);
  if (isTwice) throw new HeaderProblem("an entry has two extended headers of one kind");
  if (size <= 0 || size > maxExtendedHeader) {
    throw new HeaderProblem(`an extended header has a size of ${size} bytes`);
  }
  state.extended = { type, bytes: Buffer.alloc(size), filled: 0 };
  state.phase = "extended";
}

/** A block of an extended header's data. */
export function takeExtended(state: ReaderState, block: Buffer): void {
  const { extended } = state;
  if (extended === undefined) return;
  extended.filled += block.copy(extended.bytes, extended.filled);
  if (extended.filled < extended.bytes.length) return;
  state.phase = "header";
  state.extended = undefined;
  if (extended.type === "x") state.pax = parsePax(extended.bytes);
  else if (extended.type === "g") assertHarmless(parsePax(extended.bytes), state.file);
  else if (extended.type === "L") state.longName = cutAtNul(extended.bytes);
  else state.longLink = cutAtNul(extended.bytes);
}

/** Git writes the commit as a comment for all entries; anything else holds for some readers only. */
function assertHarmless(pax: ReadonlyMap<string, ByteString>, file: string): void {
  const key = [...pax.keys()].find((name) => name !== "comment");
  if (key === undefined) return;
  const message = `a global extended header sets ${showBytes(key)}, which not every reader honours`;
  throw refuseTar("layer-tar-entry-type", message, file);
}

function cutAtNul(bytes: Buffer): ByteString {
  const end = bytes.indexOf(0);
  return bytes.toString("latin1", 0, end === -1 ? bytes.length : end);
}

/** A block of a sparse file's map. */
export function takeSparse(state: ReaderState, block: Buffer): void {
  const { sparse } = state;
  if (sparse === undefined) return;
  if (state.pax !== undefined) {
    readSparseText(sparse, block);
  } else {
    const { map, more } = parseSparseBlock(block);
    addSegments(sparse, map);
    sparse.more = more;
  }
  continueSparse(state, sparse);
}

function continueSparse(state: ReaderState, sparse: SparseMap): void {
  state.sparse = sparse.more ? sparse : undefined;
  state.phase = sparse.more ? "sparse" : "header";
  if (!sparse.more) finishEntry(state, finishSparse(sparse));
}

function finishEntry(state: ReaderState, entry: ArchivedEntry): void {
  state.pax = undefined;
  state.longName = undefined;
  state.longLink = undefined;
  state.skip = entry.dataSize + paddingOf(entry.dataSize);
  state.onEntry({ ...entry, dataOffset: state.offset });
}
