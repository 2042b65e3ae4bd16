import {
  isDirectoryState,
  listParents,
  readMeanings,
  type ByteString,
  type LayerFile,
  type Meaning,
} from "../../archive/archive.ts";

/** What some layers do to those below them. The numbers say which layer does it, the topmost one that does. */
export interface OwnPaths {
  /** What is there below, and all that is in it, is hidden: by a file, a link, a device or a whiteout. */
  readonly covers: ReadonlyMap<ByteString, number>;
  /** Directories of which all that is in them below is hidden. */
  readonly opaque: ReadonlyMap<ByteString, number>;
  /** Directories, also those that only stand in the paths of others. */
  readonly directories: ReadonlyMap<ByteString, number>;
}

/** Reads these layers, the lowest first. Errors: as `readMeanings`. */
export async function readOwnPaths(
  layers: readonly LayerFile[],
  signal?: AbortSignal,
): Promise<OwnPaths> {
  const covers = new Map<ByteString, number>();
  const opaque = new Map<ByteString, number>();
  const directories = new Map<ByteString, number>();
  for (const [index, layer] of layers.entries()) {
    const take = (meaning: Meaning): void => {
      const { kind, path } = meaning;
      if (kind === "opaque") opaque.set(path, index);
      else if (kind === "entry" && isDirectoryState(meaning.state)) directories.set(path, index);
      else covers.set(path, index);
      for (const parent of listParents(path)) directories.set(parent, index);
    };
    // What files are makes no difference here.
    await readMeanings(layer, { take, findFile: () => undefined }, signal);
  }
  return { covers, opaque, directories };
}

/** The layer that hides what is below at this path, whatever it is; undefined where it stays to be seen. */
export function findCover(own: OwnPaths, path: ByteString): number | undefined {
  const itself = own.covers.get(path);
  if (itself !== undefined) return itself;
  for (const parent of listParents(path)) {
    const cover = own.covers.get(parent) ?? own.opaque.get(parent);
    if (cover !== undefined) return cover;
  }
  return undefined;
}
