/** An archive's entry with every field as a test wants it, right or wrong. */
export interface RawEntry {
  readonly name?: string;
  readonly type?: string;
  readonly mode?: number;
  readonly uid?: number;
  /** As the header says; the length of `data` unless given. */
  readonly size?: number | string;
  readonly mtime?: number;
  readonly link?: string;
  readonly data?: string | Buffer;
  readonly checksum?: string;
  readonly magic?: string;
  /** Bytes to put over the header (before the checksum), by offset. */
  readonly patches?: Readonly<Record<number, string>>;
}

/** One entry: header, data, padding. Texts are one character a byte. */
export function rawEntry(entry: RawEntry): Buffer {
  const data = Buffer.from(entry.data ?? "");
  const header = Buffer.alloc(512);
  header.write(entry.name ?? "file", 0, 100, "latin1");
  header.write(octal(entry.mode ?? 0o644, 8), 100, "latin1");
  header.write(octal(entry.uid ?? 0, 8), 108, "latin1");
  header.write(octal(0, 8), 116, "latin1");
  const size = entry.size ?? data.length;
  header.write(typeof size === "string" ? size : octal(size, 12), 124, 12, "latin1");
  header.write(octal(entry.mtime ?? 0, 12), 136, "latin1");
  header.write(entry.type ?? "0", 156, "latin1");
  header.write(entry.link ?? "", 157, 100, "latin1");
  header.write(entry.magic ?? "ustar\u{0}00", 257, "latin1");
  for (const [at, text] of Object.entries(entry.patches ?? {})) {
    header.write(text, Number(at), "latin1");
  }
  header.write("        ", 148, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(entry.checksum ?? `${sum.toString(8).padStart(6, "0")}\u{0} `, 148, "latin1");
  return Buffer.concat([header, data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
}

/** A PAX extended header of these records, in this order. */
export function rawPax(records: readonly (readonly [string, string])[], type = "x"): Buffer {
  const data = records.map(([key, value]) => paxRecord(key, value)).join("");
  return rawEntry({ name: "PaxHeaders/x", type, data: Buffer.from(data, "latin1") });
}

function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  while (String(length).length + rest.length !== length) length += 1;
  return `${length}${rest}`;
}

const endOfArchive = Buffer.alloc(1024);

/** These parts and the end of the archive. */
export function rawTar(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([...parts, endOfArchive]);
}

function octal(value: number, length: number): string {
  return value.toString(8).padStart(length - 1, "0");
}
