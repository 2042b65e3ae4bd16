import type { ArchivedEntry, ByteString, Segment } from "./entry.ts";
import { HeaderProblem } from "./header.ts";
import { parseWhole } from "./resolve.ts";

/** Parts of a sparse file that are read at most, so that a map fits in memory. */
const maxSegments = 200_000;
/** Of a number in a map: as many as a safe integer has. */
const maxDigits = 16;

/** A sparse file whose map is being read. */
export interface SparseMap {
  readonly entry: ArchivedEntry;
  map: Segment[];
  readonly realSize: number;
  more: boolean;
  /** The map's text: version 1.0 of the PAX form alone. */
  readonly text: MapText;
}

interface MapText {
  /** Bytes so far. */
  size: number;
  /** Parts that its first line announces. */
  count: number | undefined;
  readonly numbers: number[];
  /** The last line, of which the end is still to come. */
  rest: string;
}

/** A map that is yet to be read. */
export function startMap(): MapText {
  return { size: 0, count: undefined, numbers: [], rest: "" };
}

/** A sparse file of the PAX forms 0.1 (map in the records) and 1.0 (map before the data). */
export function startSparse(entry: ArchivedEntry, pax: ReadonlyMap<string, ByteString>): SparseMap {
  const inline = pax.get("GNU.sparse.map");
  const realSize = parseWhole(
    pax.get("GNU.sparse.realsize") ?? pax.get("GNU.sparse.size") ?? "",
    "real size",
  );
  if (inline !== undefined) {
    const numbers =
      inline === "" ? [] : inline.split(",").map((text) => parseWhole(text, "sparse map"));
    return { entry, map: pairNumbers(numbers), realSize, more: false, text: startMap() };
  }
  if (pax.get("GNU.sparse.major") !== "1" || pax.get("GNU.sparse.minor") !== "0") {
    throw new HeaderProblem("a sparse file has an unknown version");
  }
  return { entry, map: [], realSize, more: true, text: startMap() };
}

/** Takes a block of the map that stands before the data: decimal numbers, a line each, first their count. */
export function readSparseText(sparse: SparseMap, block: Buffer): void {
  const { text } = sparse;
  text.size += block.length;
  const [first = "", ...lines] = block.toString("latin1").split("\n");
  const whole = [text.rest + first, ...lines];
  text.rest = whole.pop() ?? "";
  for (const line of whole) takeNumber(text, line);
  if (text.count === undefined) throw new HeaderProblem("a sparse map has no count");
  sparse.more = text.numbers.length < 2 * text.count;
  if (!sparse.more) sparse.map = pairNumbers(text.numbers);
  else if (text.rest.length > maxDigits) throw new HeaderProblem("a sparse map is not a number");
}

function takeNumber(text: MapText, line: string): void {
  const { count, numbers } = text;
  if (count !== undefined && numbers.length === 2 * count) return;
  const number = parseWhole(line, "sparse map");
  if (count !== undefined) numbers.push(number);
  else if (number > maxSegments) throw new HeaderProblem("a sparse map has too many parts");
  else text.count = number;
}

/** Appends the parts of a further block of the old form. */
export function addSegments(sparse: SparseMap, map: readonly Segment[]): void {
  sparse.map.push(...map);
  if (sparse.map.length > maxSegments) throw new HeaderProblem("a sparse map has too many parts");
}

/** The entry once its map is known. */
export function finishSparse(sparse: SparseMap): ArchivedEntry {
  const { entry, map, realSize, text } = sparse;
  const dataSize = entry.dataSize - text.size;
  assertSparse(map, realSize, dataSize);
  return { ...entry, size: realSize, dataSize, sparse: map };
}

function assertSparse(map: readonly Segment[], realSize: number, dataSize: number): void {
  let end = 0;
  let sum = 0;
  for (const { offset, length } of map) {
    if (offset < end || length < 0) throw new HeaderProblem("a sparse map is not in order");
    end = offset + length;
    sum += length;
  }
  if (realSize < 0 || end > realSize || sum !== dataSize) {
    throw new HeaderProblem("a sparse map does not match its file");
  }
}

function pairNumbers(numbers: readonly number[]): Segment[] {
  if (numbers.length % 2 !== 0) throw new HeaderProblem("a sparse map has an odd number");
  return Array.from({ length: numbers.length / 2 }, (_, i) => ({
    offset: numbers[2 * i] ?? 0,
    length: numbers[2 * i + 1] ?? 0,
  }));
}
