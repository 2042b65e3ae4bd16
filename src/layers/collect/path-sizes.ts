import type { Entry } from "../../archive/archive.ts";
import type { LargePath } from "../model.ts";

/** Where the bytes of a layer are. */
export interface PathSizes {
  readonly add: (entry: Pick<Entry, "path" | "size">) => void;
  /** The largest paths, the largest first. */
  readonly list: () => readonly LargePath[];
}

/** Whether a layer is that of what no package owns, or a piece of it (`other#03fa91`), as `layer split` names it. */
export function isRest(name: string): boolean {
  return name.split(" ").some((part) => /^other(?:#[0-9a-f]+)?$/.test(part));
}

/** More are told of by the directory at the top alone, so that memory stays bounded. */
const maxPlaces = 5000;
const depth = 3;
const mostListed = 5;

/**
 * Adds up the files of a layer by the first components of their paths, three at most: `var/cache/apt` tells more than a
 * thousand small files do. From the entries that the packer sees anyway.
 */
export function createPathSizes(): PathSizes {
  const sizes = new Map<string, number>();
  return {
    add: ({ path, size }) => {
      if (size === 0) return;
      const parts = path.split("/", depth);
      const place = parts.join("/");
      const isKnown = sizes.has(place) || sizes.size < maxPlaces;
      const key = isKnown ? place : (parts[0] ?? "");
      sizes.set(key, (sizes.get(key) ?? 0) + size);
    },
    list: () =>
      [...sizes]
        .sort(([, a], [, b]) => b - a)
        .slice(0, mostListed)
        .map(([path, size]) => ({ path: Buffer.from(path, "latin1").toString("utf8"), size })),
  };
}
