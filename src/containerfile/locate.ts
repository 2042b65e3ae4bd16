import { skipSpacesBack } from "../../grammar/grammar.ts";
import type { Position, Span } from "../diagnostics.ts";
import type { Instruction, SourceText } from "./model.ts";

/** Finds line and column of offsets. Both count from 1; columns count bytes. */
export interface Locator {
  readonly position: (offset: number) => Position;
  readonly span: (range: SourceRange) => Span;
}

/** Built once for a text, in time in proportion to its length; a look-up is a binary search. */
export function createLocator(source: SourceText): Locator {
  const lineStarts = [0];
  for (let at = source.indexOf("\n"); at !== -1; at = source.indexOf("\n", at + 1)) {
    lineStarts.push(at + 1);
  }
  const position = (offset: number): Position => {
    const line = findLast(lineStarts, offset);
    return { offset, line: line + 1, column: offset - (lineStarts[line] ?? 0) + 1 };
  };
  return {
    position,
    span: ({ startOffset, endOffset }) => ({
      start: position(startOffset),
      end: position(endOffset),
    }),
  };
}

function findLast(ascending: readonly number[], value: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((ascending[middle] ?? 0) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Offsets of bytes; `endOffset` is behind the last. */
export interface SourceRange {
  readonly startOffset: number;
  readonly endOffset: number;
}

/** Where a stretch of an instruction's joined text stands in the file. */
export function toSourceRange(
  pieces: Instruction["pieces"],
  start: number,
  end: number,
): SourceRange {
  const from = toSourceOffset(pieces, start);
  // The last byte is looked up, not the one behind it, which may be in another line.
  return {
    startOffset: from,
    endOffset: end > start ? toSourceOffset(pieces, end - 1) + 1 : from,
  };
}

function toSourceOffset(pieces: Instruction["pieces"], offset: number): number {
  const starts = pieces.map(({ text }) => text);
  const piece = pieces[findLast(starts, offset)];
  return piece === undefined ? offset : piece.source + offset - piece.text;
}

/** Where an instruction's arguments stand, or its keyword where it has none. */
export function findArguments({ text, args, pieces }: Instruction): SourceRange {
  const start = args === "" ? 0 : text.lastIndexOf(args);
  return toSourceRange(
    pieces,
    start,
    args === "" ? skipSpacesBack(text, 0, text.length) : start + args.length,
  );
}

/**
 * A part of an instruction, as a finding is underlined: where all its arguments stand if the part is not known, or
 * begins in another line than they do, for a finding's line is that of the arguments.
 */
export function narrowSpan(
  instruction: Instruction,
  part: SourceRange | undefined,
  locator: Locator,
): Span {
  const whole = locator.span(findArguments(instruction));
  const span = part && locator.span(part);
  return span?.start.line === whole.start.line ? span : whole;
}
