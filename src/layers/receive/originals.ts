import { closeSync, openSync, readSync } from "node:fs";
import { type ByteString, createTarReader, type Entry, refuse } from "../../archive/archive.ts";

/** What came under a name, for hard links to it. */
export interface Original {
  readonly entry: Entry;
  /** Where a file's bytes lie on this machine. */
  readonly path: Buffer | string;
  readonly start: number;
}

export interface Originals {
  /** Of a file that stands alone. Errors: `layer-too-many-entries`. */
  readonly keep: (name: ByteString, original: Original) => void;
  /** An archive of ours that is whole, in which names below `prefix` are. It is read when one of them is asked for. */
  readonly addArchive: (prefix: ByteString, path: string) => void;
  /** One value for all names of a file. Errors: `layer-too-many-entries`. */
  readonly find: (name: ByteString) => Original | undefined;
}

/** Names that are kept in memory: as many as a layer may have. */
const maxNames = 1_000_000;
const windowSize = 64 * 1024;

export function createOriginals(): Originals {
  const alone = new Map<ByteString, Original>();
  const paths = new Map<ByteString, string>();
  const read = new Map<ByteString, ReadonlyMap<ByteString, Original>>();
  let count = 0;
  const countName = (): void => {
    count += 1;
    if (count <= maxNames) return;
    const message = `hard links need more than ${maxNames} names of other files`;
    const hint = "copy files into layers, where there are many, instead of linking them";
    throw refuse("layer-too-many-entries", message, { file: "output", hint });
  };
  const open = (prefix: ByteString): ReadonlyMap<ByteString, Original> | undefined => {
    const path = paths.get(prefix);
    const known = read.get(prefix);
    if (path === undefined || known !== undefined) return known;
    const names = readArchive(path, countName);
    read.set(prefix, names);
    return names;
  };
  return {
    keep: (name, original) => {
      countName();
      alone.set(name, original);
    },
    addArchive: (prefix, path) => paths.set(prefix, path),
    find: (name) => {
      const [prefix] = /^(?:layers\/)?[^/]*\//.exec(name) ?? [""];
      return alone.get(name) ?? open(prefix)?.get(name.slice(prefix.length));
    },
  };
}

function readArchive(path: string, onName: () => void): ReadonlyMap<ByteString, Original> {
  const names = new Map<ByteString, Original>();
  const reader = createTarReader("output", (entry) => {
    onName();
    const { type, link, dataOffset } = entry;
    // A link names what stands before it; whether that is so is judged with the layer.
    const original = type === "hard-link" ? names.get(link) : { entry, path, start: dataOffset };
    if (original !== undefined) names.set(entry.path, original);
  });
  const fd = openSync(path, "r");
  try {
    const window = Buffer.allocUnsafeSlow(windowSize);
    for (let at = 0; ;) {
      const length = readSync(fd, window, 0, windowSize, at);
      if (length === 0) return names;
      reader.write(window.subarray(0, length));
      at += length;
      at += reader.skip(Number.MAX_SAFE_INTEGER);
    }
  } finally {
    closeSync(fd);
  }
}
