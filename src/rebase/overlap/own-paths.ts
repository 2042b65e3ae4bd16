import { readLayerFile, type ByteString, type LayerFile } from "../../archive/archive.ts";
import { listParents, readMeaning } from "./paths.ts";

/** What some layers do to those below them. The numbers say which layer does it, the topmost one that does. */
export interface OwnPaths {
  /** What is there below, and all that is in it, is hidden: by a file, a link, a device or a whiteout. */
  readonly covers: ReadonlyMap<ByteString, number>;
  /** Directories of which all that is in them below is hidden. */
  readonly opaque: ReadonlyMap<ByteString, number>;
  /** Directories, also those that only stand in the paths of others. */
  readonly directories: ReadonlyMap<ByteString, number>;
}

/** Reads the headers of these layers, the lowest first. Errors: as `readLayerFile`. */
export async function readOwnPaths(
  layers: readonly LayerFile[],
  signal?: AbortSignal,
): Promise<OwnPaths> {
  const covers = new Map<ByteString, number>();
  const opaque = new Map<ByteString, number>();
  const directories = new Map<ByteString, number>();
  for (const [index, layer] of layers.entries()) {
    const take = (entry: { readonly path: ByteString; readonly type: string }): void => {
      const { kind, path } = readMeaning(entry.path);
      if (kind === "opaque") opaque.set(path, index);
      else if (kind === "entry" && entry.type === "directory") directories.set(path, index);
      else covers.set(path, index);
      for (const parent of listParents(path)) directories.set(parent, index);
    };
    await readLayerFile(layer, take, signal);
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
