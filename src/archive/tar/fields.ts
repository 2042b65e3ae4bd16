/** A number of a header block: what errors call it, and where it stands, in bytes. */
export interface NumberField {
  readonly name: string;
  readonly start: number;
  readonly length: number;
}

/** The numbers of a header. POSIX.1-2017, pax, "ustar Interchange Format". */
export const numberFields = {
  mode: { name: "mode", start: 100, length: 8 },
  uid: { name: "uid", start: 108, length: 8 },
  gid: { name: "gid", start: 116, length: 8 },
  size: { name: "size", start: 124, length: 12 },
  mtime: { name: "mtime", start: 136, length: 12 },
  checksum: { name: "checksum", start: 148, length: 8 },
  deviceMajor: { name: "device number", start: 329, length: 8 },
  deviceMinor: { name: "device number", start: 337, length: 8 },
} as const satisfies Record<string, NumberField>;
