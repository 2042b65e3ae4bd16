import type { ByteString } from "../tar/entry.ts";
import type { LayerPaths } from "./layer-paths.ts";
import { listParents } from "./names.ts";
import { absent, impliedDirectory, isDirectoryState, type PathState } from "./state.ts";

/** What one layer says of one path. */
export interface Saying {
  /** Which layer it is. */
  readonly layer: number;
  /** What it has there. */
  readonly state: PathState | undefined;
  /** Whether what layers below it have there is hidden. */
  readonly clears: boolean;
}

/** What a path comes to. */
export interface Settled {
  readonly state: PathState;
  /** The layer that decides it: that has it so or, of a directory that was made anew, that hides the one below. */
  readonly layer: number;
  /** The topmost layer that has it, if only as a directory that others lie in, or else removes it. */
  readonly top: number;
}

/** A directory that a layer made anew by having something in it: it has the mode and owner that the tool gives. */
export const newDirectory: PathState = "d?";

/** What each of these layers says of a path: those that say nothing are left out. */
export function listSayings(
  layers: ReadonlyMap<number, LayerPaths>,
  path: ByteString,
): readonly Saying[] {
  const parents = [...listParents(path)];
  return [...layers].flatMap(([layer, paths]) => {
    const state = paths.entries.get(path);
    const clears = paths.removed.has(path) || parents.some((parent) => hides(paths, parent));
    return state === undefined && !clears ? [] : [{ layer, state, clears }];
  });
}

function hides({ entries, removed, opaque }: LayerPaths, parent: ByteString): boolean {
  if (removed.has(parent) || opaque.has(parent)) return true;
  const state = entries.get(parent);
  return state !== undefined && !isDirectoryState(state);
}

/**
 * What a path comes to where these layers lie one above the other, the topmost first: whiteouts are for the layers
 * below theirs, and a directory over a directory leaves what is in it. `impliedDirectory`: it is a directory, and none
 * of these says more. Undefined where none says anything. image-spec v1.1, layer.md, "Applying Changesets".
 */
export function settlePath(sayings: Iterable<Saying>): Settled | undefined {
  let top: number | undefined;
  let implied: number | undefined;
  for (const { layer, state, clears } of sayings) {
    top ??= layer;
    if (state === impliedDirectory) implied ??= layer;
    else if (state !== undefined) {
      const isCut = implied !== undefined && !isDirectoryState(state);
      return { state: isCut ? newDirectory : state, layer, top };
    }
    if (clears) return { state: implied === undefined ? absent : newDirectory, layer, top };
  }
  if (implied === undefined || top === undefined) return undefined;
  return { state: impliedDirectory, layer: implied, top };
}

/**
 * The paths that may be another thing than one layer has there, because of another layer: all others are what every
 * layer that has them says. Ascending.
 */
export function listDisputed(layers: Iterable<LayerPaths>): readonly ByteString[] {
  const all = [...layers];
  const { differing, replaced } = compareEntries(all);
  const cleared = new Set([
    ...replaced,
    ...all.flatMap(({ removed, opaque }) => [...removed, ...opaque]),
  ]);
  const isCleared = (path: ByteString): boolean => {
    if (cleared.has(path)) return true;
    for (const parent of listParents(path)) if (cleared.has(parent)) return true;
    return false;
  };
  if (cleared.size > 0) {
    for (const { entries } of all) {
      for (const path of entries.keys()) if (isCleared(path)) differing.add(path);
    }
  }
  return [...differing].sort();
}

/** Paths that are not the same in all layers that have them and, of these, such as are not a directory in each. */
function compareEntries(
  layers: readonly LayerPaths[],
): Readonly<Record<"differing" | "replaced", Set<ByteString>>> {
  const first = new Map<ByteString, PathState>();
  const [differing, replaced] = [new Set<ByteString>(), new Set<ByteString>()];
  for (const { entries } of layers) {
    for (const [path, state] of entries) {
      const known = first.get(path);
      if (known === undefined || known === impliedDirectory) first.set(path, state);
      if (known === undefined || known === state) continue;
      const areDirectories = isDirectoryState(known) && isDirectoryState(state);
      if (isDirectoryState(known) !== isDirectoryState(state)) replaced.add(path);
      // A directory that says nothing of itself agrees with every other one.
      const isImplied = known === impliedDirectory || state === impliedDirectory;
      if (!areDirectories || !isImplied) differing.add(path);
    }
  }
  return { differing, replaced };
}
