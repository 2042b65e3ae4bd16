import { isUtf8 } from "node:buffer";
import { blockSize, paddingOf, type ByteString, type Entry, type EntryType } from "./entry.ts";
import { numberFields, type NumberField } from "./fields.ts";
import { encodePax } from "./pax.ts";

const typeflags: Readonly<Record<EntryType, string>> = {
  file: "0",
  "hard-link": "1",
  symlink: "2",
  "character-device": "3",
  "block-device": "4",
  directory: "5",
  fifo: "6",
};

/** Magic and version; the digits would be read as part of an octal escape. */
const ustarMagic = "ustar\u{0}00";
const maxId = 0o7777777;
const maxWide = 0o77777777777;

/**
 * Gives `put` the canonical header of an entry, with what extends it before it: ustar, and PAX records only
 * for what ustar cannot hold, sorted by key. The bytes are valid during the call alone. Two blocks of
 * zeros end an archive. POSIX.1-2017, pax.
 */
export function encodeEntry(entry: Entry, mtime: number, put: (bytes: Buffer) => void): void {
  const name = entry.type === "directory" ? `${entry.path}/` : entry.path;
  const split = splitName(name);
  const records = listRecords(entry, mtime, split === undefined ? name : undefined);
  if (records !== undefined) {
    const data = encodePax(records);
    put(encodePaxHeader(data.length));
    put(data);
    put(zeros.subarray(0, paddingOf(data.length)));
  }
  put(encodeHeader(entry, mtime, split ?? cutName(name)));
}

/** One header after another is made here: allocating each would cost more than making it. */
const scratch = Buffer.alloc(blockSize);
const zeros = Buffer.alloc(blockSize);

interface SplitName {
  readonly prefix: ByteString;
  readonly name: ByteString;
}

/** As ustar has it: 100 bytes, and 155 before them where a slash parts the two. */
function splitName(path: ByteString): SplitName | undefined {
  if (path.length <= 100) return { prefix: "", name: path };
  const slash = path.lastIndexOf("/", Math.min(155, path.length - 2));
  const name = path.slice(slash + 1);
  return slash > 0 && name.length <= 100 ? { prefix: path.slice(0, slash), name } : undefined;
}

/** What a reader that does not know PAX sees. */
function cutName(path: ByteString): SplitName {
  return { prefix: "", name: path.slice(0, 100) };
}

/** What ustar cannot hold; `longName` is a name that it cannot hold. */
function listRecords(
  entry: Entry,
  mtime: number,
  longName: ByteString | undefined,
): ReadonlyMap<ByteString, ByteString> | undefined {
  const records: [ByteString, ByteString][] = entry.xattrs.map(([key, value]) => [
    `SCHILY.xattr.${key}`,
    value,
  ]);
  const names: [ByteString, ByteString][] = [];
  if (longName !== undefined) names.push(["path", longName]);
  if (entry.link.length > 100) names.push(["linkpath", entry.link]);
  // Names in records are UTF-8 unless they say otherwise.
  if (names.some(([, value]) => !isUtf8(Buffer.from(value, "latin1")))) {
    records.push(["hdrcharset", "BINARY"]);
  }
  records.push(...names);
  if (entry.uid > maxId) records.push(["uid", String(entry.uid)]);
  if (entry.gid > maxId) records.push(["gid", String(entry.gid)]);
  if (storedSize(entry) > maxWide) records.push(["size", String(entry.size)]);
  if (mtime < 0 || mtime > maxWide) records.push(["mtime", String(mtime)]);
  return records.length === 0 ? undefined : new Map(records);
}

function storedSize(entry: Entry): number {
  return entry.type === "file" ? entry.size : 0;
}

function encodeHeader(entry: Entry, mtime: number, name: SplitName): Buffer {
  const header = scratch.fill(0);
  header.write(name.name, 0, 100, "latin1");
  writeOctal(header, numberFields.mode, entry.type === "symlink" ? 0o777 : entry.mode);
  writeOctal(header, numberFields.uid, entry.uid > maxId ? 0 : entry.uid);
  writeOctal(header, numberFields.gid, entry.gid > maxId ? 0 : entry.gid);
  const size = storedSize(entry);
  writeOctal(header, numberFields.size, size > maxWide ? 0 : size);
  writeOctal(header, numberFields.mtime, mtime < 0 || mtime > maxWide ? 0 : mtime);
  header.write(typeflags[entry.type], 156, 1, "latin1");
  header.write(entry.link.slice(0, 100), 157, 100, "latin1");
  header.write(ustarMagic, 257, 8, "latin1");
  writeOctal(header, numberFields.deviceMajor, entry.deviceMajor);
  writeOctal(header, numberFields.deviceMinor, entry.deviceMinor);
  header.write(name.prefix, 345, 155, "latin1");
  writeChecksum(header);
  return header;
}

function encodePaxHeader(size: number): Buffer {
  const header = scratch.fill(0);
  header.write("././@PaxHeader", 0, "latin1");
  writeOctal(header, numberFields.mode, 0o644);
  writeOctal(header, numberFields.uid, 0);
  writeOctal(header, numberFields.gid, 0);
  writeOctal(header, numberFields.size, size);
  writeOctal(header, numberFields.mtime, 0);
  header.write("x", 156, "latin1");
  header.write(ustarMagic, 257, 8, "latin1");
  writeOctal(header, numberFields.deviceMajor, 0);
  writeOctal(header, numberFields.deviceMinor, 0);
  writeChecksum(header);
  return header;
}

function writeOctal(header: Buffer, { start, length }: NumberField, value: number): void {
  header.write(value.toString(8).padStart(length - 1, "0"), start, length - 1, "latin1");
}

function writeChecksum(header: Buffer): void {
  let sum = 8 * 0x20;
  for (let i = 0; i < blockSize; i++) sum += header[i] ?? 0;
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, 8, "latin1");
}
