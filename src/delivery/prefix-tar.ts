import { type FileHandle, open } from "node:fs/promises";

/** Bytes of a block. POSIX.1-2017, pax, "ustar Interchange Format" */
const blockSize = 512;
const chunkSize = 1024 * 1024;

/**
 * The entries of a tar file that an engine wrote, each moved into a directory, which comes first; no end of the archive.
 * Contents, modes, owners and extended attributes stay byte for byte: names alone are told anew, in pax records before
 * each entry. POSIX.1-2017, pax, "pax Header Block"; GNU's long names are read, too.
 */
export async function* prefixTar(path: string, directory: string): AsyncGenerator<Buffer> {
  const prefix = Buffer.from(`${directory}/`);
  yield createHeader(prefix, { size: 0, mode: 0o755, type: "5" });
  const file = await open(path);
  try {
    let names: Names = {};
    for (let at = 0; ;) {
      const header = await readExactly(file, at, blockSize);
      if (header === undefined || header.every((byte) => byte === 0)) return;
      const type = String.fromCharCode(header[156] ?? 0);
      const size = readSize(names.records?.get("size"), header);
      const end = at + blockSize + padSize(size);
      const content = (): Promise<Buffer | undefined> => readExactly(file, at + blockSize, size);
      if (type === "x") names = { ...names, records: parseRecords((await content()) ?? noBytes) };
      else if (type === "L") names = { ...names, name: cut((await content()) ?? noBytes) };
      else if (type === "K") names = { ...names, link: cut((await content()) ?? noBytes) };
      else if (type !== "g") {
        yield* encodeNames(header, names, prefix);
        yield header;
        yield* readChunks(file, at + blockSize, end);
        names = {};
      }
      at = end;
    }
  } finally {
    await file.close();
  }
}

/** What ends an archive. */
export const tarEnd = Buffer.alloc(2 * blockSize);

const noBytes = Buffer.alloc(0);

/** What stands before an entry. */
interface Names {
  readonly records?: ReadonlyMap<string, Buffer>;
  readonly name?: Buffer;
  readonly link?: Buffer;
}

function encodeNames(header: Buffer, { records, name, link }: Names, prefix: Buffer): Buffer[] {
  const isHardLink = header[156] === 0x31;
  const long = records?.get("linkpath") ?? link;
  const target = isHardLink ? (long ?? cut(header.subarray(157, 257))) : long;
  const all = new Map(records);
  all.set("path", join(prefix, records?.get("path") ?? name ?? readName(header)));
  if (target !== undefined) all.set("linkpath", isHardLink ? join(prefix, target) : target);
  const content = Buffer.concat([...all].map(([key, value]) => encodeRecord(key, value)));
  const padding = Buffer.alloc(padSize(content.length) - content.length);
  const own = Buffer.from("PaxHeaders/0");
  return [createHeader(own, { size: content.length, mode: 0o644, type: "x" }), content, padding];
}

/** `./a`, `/a` and `a` are the same path. */
function join(prefix: Buffer, name: Buffer): Buffer {
  const text = name.toString("latin1").replace(/^(?:\.?\/)+|^\.$/, "");
  return Buffer.concat([prefix, Buffer.from(text, "latin1")]);
}

/** ustar's name in its two parts; GNU's headers have something else where the first would be. */
function readName(header: Buffer): Buffer {
  const name = cut(header.subarray(0, 100));
  const isUstar = header.subarray(257, 263).equals(Buffer.from("ustar\0"));
  const front = isUstar ? cut(header.subarray(345, 500)) : noBytes;
  return front.length === 0 ? name : Buffer.concat([front, Buffer.from("/"), name]);
}

function cut(field: Buffer): Buffer {
  const end = field.indexOf(0);
  return Buffer.from(end === -1 ? field : field.subarray(0, end));
}

/** Octal, or base 256 where the first bit is set. */
function readSize(record: Buffer | undefined, header: Buffer): number {
  if (record !== undefined) return Number(record.toString("latin1"));
  const field = header.subarray(124, 136);
  if (((field[0] ?? 0) & 0x80) !== 0) return Number(field.readBigUInt64BE(4));
  return Number.parseInt(cut(field).toString("latin1").trim() || "0", 8);
}

function padSize(size: number): number {
  return Math.ceil(size / blockSize) * blockSize;
}

/** `LENGTH KEY=VALUE\n`, the length counting itself. */
function parseRecords(content: Buffer): ReadonlyMap<string, Buffer> {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(0x20, at);
    const length = Number(content.subarray(at, space).toString("latin1"));
    if (space === -1 || !(length > 0)) break;
    const record = content.subarray(space + 1, at + length - 1);
    const equals = record.indexOf(0x3d);
    const key = record.subarray(0, equals).toString("utf8");
    records.set(key, Buffer.from(record.subarray(equals + 1)));
    at += length;
  }
  return records;
}

function encodeRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from("\n")]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length)
    length = rest.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

interface HeaderFields {
  readonly size: number;
  readonly mode: number;
  readonly type: "5" | "x";
}

function createHeader(name: Buffer, { size, mode, type }: HeaderFields): Buffer {
  const header = Buffer.alloc(blockSize);
  name.copy(header, 0, 0, 100);
  const fields: readonly (readonly [number, string])[] = [
    [100, `${mode.toString(8).padStart(7, "0")}\0`],
    [108, "0000000\0"],
    [116, "0000000\0"],
    [124, `${size.toString(8).padStart(11, "0")}\0`],
    [136, "00000000000\0"],
    [148, "        "],
    [156, type],
    [257, "ustar\0" + "00"],
  ];
  for (const [at, text] of fields) header.write(text, at, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

async function readExactly(
  file: FileHandle,
  position: number,
  length: number,
): Promise<Buffer | undefined> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return bytesRead === length ? buffer : undefined;
}

async function* readChunks(file: FileHandle, start: number, end: number): AsyncGenerator<Buffer> {
  for (let at = start; at < end; at += chunkSize) {
    const chunk = await readExactly(file, at, Math.min(chunkSize, end - at));
    if (chunk === undefined) throw new Error("the archive is cut short");
    yield chunk;
  }
}
