import type { ByteString } from "../tar/entry.ts";
import type { LayerPaths } from "./layer-paths.ts";
import { impliedDirectory, isDirectoryState, isForeignLink, type PathState } from "./state.ts";

/**
 * Whether a layer that stands below these others would change nothing if it stood once more above them: none of them
 * has, removes or lies above any of its paths, or has something where it removes. A directory that both have counts
 * as touched where mode, owner or attributes are not the same; its time does not count. What it tells is certain where
 * it says yes; it may say no of layers that would change nothing.
 */
export function isUntouched(layer: LayerPaths, between: readonly LayerPaths[]): boolean {
  return between.every((other) => isApart(layer, other));
}

function isApart(layer: LayerPaths, other: LayerPaths): boolean {
  if (layer.opaque.has("") || other.opaque.has("")) return false;
  // The directories that a path lies in are entries too: each is looked at by itself.
  for (const [path, state] of layer.entries) {
    if (isForeignLink(state) || other.removed.has(path) || other.opaque.has(path)) return false;
    const there = other.entries.get(path);
    if (there !== undefined && !areAlike(state, there)) return false;
  }
  return isFreeOf(layer.removed, other) && isFreeOf(layer.opaque, other);
}

/** Directories that the other one may have, too. */
function areAlike(a: PathState, b: PathState): boolean {
  if (!isDirectoryState(a) || !isDirectoryState(b)) return false;
  return a === b || a === impliedDirectory || b === impliedDirectory;
}

function isFreeOf(paths: ReadonlySet<ByteString>, { entries, removed }: LayerPaths): boolean {
  for (const path of paths) if (entries.has(path) || removed.has(path)) return false;
  return true;
}
