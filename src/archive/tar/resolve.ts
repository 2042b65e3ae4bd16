import { showBytes } from "../refuse.ts";
import type { ArchivedEntry, ByteString, EntryType } from "./entry.ts";
import { HeaderProblem, type Header } from "./header.ts";
import { refuseTar } from "./problems.ts";
import { normalizePath, pickName, resolveLink } from "./resolve-name.ts";
import { normalizeXattrs } from "./xattrs.ts";

/** What stood before a header and changes it. */
export interface Extension {
  readonly pax: ReadonlyMap<string, ByteString> | undefined;
  /** GNU's types L and K. */
  readonly longName: ByteString | undefined;
  readonly longLink: ByteString | undefined;
}

const types: Readonly<Record<string, EntryType>> = {
  "\0": "file",
  "0": "file",
  "7": "file",
  S: "file",
  "1": "hard-link",
  "2": "symlink",
  "3": "character-device",
  "4": "block-device",
  "5": "directory",
  "6": "fifo",
};

const maxOctalSize = 0o77777777777;
const maxId = 0xffffffff;
const maxDevice = 0o7777777;

/** An entry from its header and what extends it; its data are still to be placed. */
export function resolveEntry(header: Header, extension: Extension, file: string): ArchivedEntry {
  const { pax } = extension;
  const name = pickName(
    pax?.get("GNU.sparse.name") ?? pax?.get("path"),
    extension.longName,
    header.name,
  );
  const type = resolveType(header, name, file);
  const size = resolveSize(header, pax, file);
  if (type !== "file" && size !== 0) {
    throw refuseTar(
      "layer-tar-size-mismatch",
      `${showBytes(name)} is not a file, but has a size`,
      file,
    );
  }
  const link = pickName(pax?.get("linkpath"), extension.longLink, header.linkname);
  return {
    path: normalizePath(name, file),
    type,
    mode: header.mode & 0o7777,
    uid: resolveId(pax?.get("uid"), header.uid),
    gid: resolveId(pax?.get("gid"), header.gid),
    mtime: resolveTime(pax?.get("mtime"), header.mtime),
    size,
    link: resolveLink(type, link, file),
    deviceMajor: resolveDevice(type, header.deviceMajor),
    deviceMinor: resolveDevice(type, header.deviceMinor),
    xattrs: listXattrs(pax),
    dataOffset: 0,
    dataSize: size,
    sparse: undefined,
  };
}

function resolveType(header: Header, name: ByteString, file: string): EntryType {
  const type = types[header.typeflag];
  if (type === undefined) {
    const shown = JSON.stringify(header.typeflag);
    throw refuseTar(
      "layer-tar-entry-type",
      `${showBytes(name)} has the unknown type ${shown}`,
      file,
    );
  }
  if (type !== "file" || !name.endsWith("/")) return type;
  // Before POSIX a directory was a file of no size whose name ends with a slash.
  if (header.typeflag === "\0") return "directory";
  throw refuseTar(
    "layer-tar-entry-type",
    `the file ${showBytes(name)} is named like a directory`,
    file,
  );
}

function resolveSize(
  header: Header,
  pax: ReadonlyMap<string, ByteString> | undefined,
  file: string,
): number {
  const text = pax?.get("size");
  if (header.size < 0) throw new HeaderProblem("a size is negative");
  if (text === undefined) return header.size;
  const size = parseWhole(text, "size");
  const cannotStand = size > maxOctalSize && header.size === 0;
  if (size === header.size || cannotStand) return size;
  const message = `a header says ${header.size} bytes, its extended header ${size}`;
  throw refuseTar("layer-tar-size-mismatch", message, file);
}

function resolveId(text: ByteString | undefined, plain: number): number {
  const id = text === undefined ? plain : parseWhole(text, "owner");
  if (id < 0 || id > maxId) throw new HeaderProblem("an owner is out of range");
  return id;
}

function resolveDevice(type: EntryType, number: number): number {
  if (type !== "character-device" && type !== "block-device") return 0;
  if (number < 0 || number > maxDevice) throw new HeaderProblem("a device number is out of range");
  return number;
}

function resolveTime(text: ByteString | undefined, plain: number): number {
  if (text === undefined) return plain;
  const time = /^-?[0-9]{1,15}(?:\.[0-9]*)?$/.test(text) ? Math.floor(Number(text)) : Number.NaN;
  if (!Number.isSafeInteger(time)) throw new HeaderProblem("a time is not a number");
  // Number() rounds a long fraction up, sometimes to the next whole second.
  return text.startsWith("-") ? time : Number(text.split(".", 1)[0] ?? text);
}

function listXattrs(pax: ReadonlyMap<string, ByteString> | undefined): ArchivedEntry["xattrs"] {
  if (pax === undefined) return [];
  const prefix = "SCHILY.xattr.";
  const xattrs = [...pax]
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]): [ByteString, ByteString] => [key.slice(prefix.length), value]);
  return normalizeXattrs(xattrs);
}

/** Digits alone. Errors: `HeaderProblem`. */
export function parseWhole(text: string, what: string): number {
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new HeaderProblem(`a ${what} is not a whole number`);
  return value;
}
