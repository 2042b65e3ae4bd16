import { showBytes } from "../refuse.ts";
import type { ByteString } from "./entry.ts";
import { HeaderProblem } from "./header.ts";

/** Larger extended headers are refused, as Go's reader does. Bytes. */
export const maxExtendedHeader = 1024 * 1024;

/** POSIX.1-2017, pax, "pax Extended Header": records `<length> <key>=<value>\n`. Errors: `HeaderProblem`. */
export function parsePax(bytes: Buffer): Map<string, ByteString> {
  const records = new Map<string, ByteString>();
  let at = 0;
  while (at < bytes.length) {
    const record = readRecord(bytes, at);
    if (records.has(record.key)) {
      throw new HeaderProblem(`an extended header has the record ${showBytes(record.key)} twice`);
    }
    records.set(record.key, record.value);
    at = record.end;
  }
  return records;
}

function readRecord(bytes: Buffer, start: number): { key: string; value: ByteString; end: number } {
  const space = bytes.indexOf(0x20, start);
  const digits = space === -1 ? "" : bytes.toString("latin1", start, Math.min(space, start + 12));
  const length = /^[1-9][0-9]*$/.test(digits) ? Number(digits) : 0;
  const end = start + length;
  if (length === 0 || end > bytes.length || end <= space + 1 || bytes[end - 1] !== 0x0a) {
    throw new HeaderProblem("an extended header has a record of a wrong length");
  }
  const equals = bytes.indexOf(0x3d, space + 1);
  if (equals === -1 || equals >= end || equals === space + 1) {
    throw new HeaderProblem("an extended header has a record without a key");
  }
  const key = bytes.toString("latin1", space + 1, equals);
  return { key, value: bytes.toString("latin1", equals + 1, end - 1), end };
}

/** The bytes of such a header: records sorted by key. */
export function encodePax(records: ReadonlyMap<ByteString, ByteString>): Buffer {
  const keys = [...records.keys()].sort();
  return Buffer.from(
    keys.map((key) => encodeRecord(key, records.get(key) ?? "")).join(""),
    "latin1",
  );
}

/** The length counts its own digits, so it is found by trying. */
function encodeRecord(key: ByteString, value: ByteString): ByteString {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) {
    length = String(length).length + rest.length;
  }
  return `${length}${rest}`;
}
