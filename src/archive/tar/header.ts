import type { ByteString, Segment } from "./entry.ts";
import { numberFields, type NumberField } from "./fields.ts";

/** The fields of one header block, as they stand there. POSIX.1-2017, pax, "ustar Interchange Format". */
export interface Header {
  readonly name: ByteString;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly typeflag: string;
  readonly linkname: ByteString;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

/** What a header block cannot be read for; the reader says where. */
export class HeaderProblem extends Error {}

/** Reads a header block that is not all zeros. Errors: `HeaderProblem`. */
export function parseHeader(block: Buffer): Header {
  assertChecksum(block);
  const magic = block.toString("latin1", 257, 263);
  const known = magic === "ustar\0" || magic === "ustar ";
  return {
    name: joinName(block, magic),
    mode: readNumber(block, numberFields.mode),
    uid: readNumber(block, numberFields.uid),
    gid: readNumber(block, numberFields.gid),
    size: readNumber(block, numberFields.size),
    mtime: readNumber(block, numberFields.mtime),
    typeflag: block.toString("latin1", 156, 157),
    linkname: readText(block, 157, 100),
    deviceMajor: known ? readNumber(block, numberFields.deviceMajor) : 0,
    deviceMinor: known ? readNumber(block, numberFields.deviceMinor) : 0,
  };
}

function assertChecksum(block: Buffer): void {
  const expected = readNumber(block, numberFields.checksum);
  let sum = 8 * 0x20;
  for (let i = 0; i < 148; i++) sum += block[i] ?? 0;
  for (let i = 156; i < 512; i++) sum += block[i] ?? 0;
  if (sum !== expected) throw new HeaderProblem("a header's checksum is wrong");
}

function joinName(block: Buffer, magic: string): ByteString {
  const name = readText(block, 0, 100);
  // GNU's own format uses the room of the prefix for other things.
  const prefix = magic === "ustar\0" ? readText(block, 345, 155) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function readText(block: Buffer, start: number, length: number): ByteString {
  const end = block.indexOf(0, start);
  return block.toString("latin1", start, end === -1 || end > start + length ? start + length : end);
}

/** Octal digits, or GNU's base 256 where the first bit is set. */
function readNumber(block: Buffer, field: NumberField): number {
  const { start } = field;
  const first = block[start] ?? 0;
  if ((first & 0x80) !== 0) return readBinary(block, field);
  let i = start;
  const end = start + field.length;
  while (i < end && block[i] === 0x20) i++;
  let value = 0;
  for (; i < end; i++) {
    const digit = (block[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  for (; i < end; i++) {
    if (block[i] !== 0x20 && block[i] !== 0)
      throw new HeaderProblem(`a header's ${field.name} is not a number`);
  }
  return value;
}

function readBinary(block: Buffer, { name, start, length }: NumberField): number {
  const negative = ((block[start] ?? 0) & 0x40) !== 0;
  let value = BigInt((block[start] ?? 0) & 0x3f);
  for (let i = start + 1; i < start + length; i++) value = value * 256n + BigInt(block[i] ?? 0);
  const number = Number(negative ? value - (1n << BigInt(8 * length - 2)) : value);
  if (!Number.isSafeInteger(number)) throw new HeaderProblem(`a header's ${name} is out of range`);
  return number;
}

const realSizeField: NumberField = { name: "real size", start: 483, length: 12 };

/** The sparse map in a header of GNU's old format (type S), and whether it goes on in a further block. */
export function parseOldSparse(block: Buffer): { map: Segment[]; realSize: number; more: boolean } {
  const map = readSegments(block, 386, 4);
  const realSize = readNumber(block, realSizeField);
  return { map, realSize, more: block[482] !== 0 };
}

/** A further block of such a map. */
export function parseSparseBlock(block: Buffer): { map: Segment[]; more: boolean } {
  return { map: readSegments(block, 0, 21), more: block[504] !== 0 };
}

function readSegments(block: Buffer, start: number, count: number): Segment[] {
  const segments: Segment[] = [];
  for (let i = 0; i < count; i++) {
    const at = start + 24 * i;
    if (block[at] === 0) break;
    segments.push({
      offset: readNumber(block, { name: "sparse map", start: at, length: 12 }),
      length: readNumber(block, { name: "sparse map", start: at + 12, length: 12 }),
    });
  }
  return segments;
}
