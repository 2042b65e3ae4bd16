import type { Span } from "../diagnostics.ts";
import { readJson } from "./strict-json.ts";

/** A JSON document: a file, or a line of one. */
export interface JsonSource {
  /** The whole file's. */
  readonly bytes: Buffer;
  /** The file as it is shown. */
  readonly file: string;
  /** Where the document begins and ends in the file, in bytes. */
  readonly start: number;
  readonly end: number;
}

/** A file that is a document as a whole; a byte order mark before it is passed over. */
export function createSource(bytes: Buffer, file: string): JsonSource {
  return { bytes, file, start: hasMark(bytes) ? 3 : 0, end: bytes.length };
}

function hasMark(bytes: Buffer): boolean {
  return bytes.length >= 3 && bytes.readUIntBE(0, 3) === 0xefbbbf;
}

/**
 * Where the values at these paths of a well-formed document begin; for each the innermost part of its path
 * that is there. The document is read once, whatever their number.
 */
export function locateJson(
  source: JsonSource,
  paths: readonly (readonly PropertyKey[])[],
): readonly Span[] {
  const wanted = paths.map((path) => ({ path: path.map(String), found: 0, depth: -1 }));
  readJson(source.bytes.subarray(source.start, source.end), (path, offset) => {
    for (const one of wanted) {
      if (path.length <= one.depth || !isBeginning(path, one.path)) continue;
      one.found = offset;
      one.depth = path.length;
    }
  });
  return toSpans(
    source.bytes,
    wanted.map(({ found }) => source.start + found),
  );
}

function isBeginning(path: readonly string[], whole: readonly string[]): boolean {
  return path.length <= whole.length && path.every((part, index) => part === whole[index]);
}

/** The bytes at these offsets of a file as places, its lines counted once. */
export function toSpans(bytes: Buffer, offsets: readonly number[]): readonly Span[] {
  const spans = new Map<number, Span>();
  let line = 1;
  let lineStart = 0;
  for (const offset of [...offsets].sort((a, b) => a - b)) {
    for (let end = bytes.indexOf(0x0a, lineStart); end !== -1 && end < offset;) {
      line += 1;
      lineStart = end + 1;
      end = bytes.indexOf(0x0a, lineStart);
    }
    spans.set(offset, createSpan(offset, line, offset - lineStart + 1));
  }
  return offsets.flatMap((offset) => spans.get(offset) ?? []);
}

/** Of one byte. */
function createSpan(offset: number, line: number, column: number): Span {
  return {
    start: { offset, line, column },
    end: { offset: offset + 1, line, column: column + 1 },
  };
}
