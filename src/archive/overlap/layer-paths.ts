import type { LayerFile } from "../read/layer-file.ts";
import type { ByteString } from "../tar/entry.ts";
import { maxEntries, maxIndexSize } from "../tar/check.ts";
import { refuseTar } from "../tar/problems.ts";
import { listParents } from "./names.ts";
import { type Meaning, readMeanings } from "./read-meanings.ts";
import { impliedDirectory, isDirectoryState, type PathState } from "./state.ts";

/** All that a layer says of paths. */
export interface LayerPaths {
  /** What it has, the directories too that only stand in the paths of others (never the root as one of these). */
  readonly entries: ReadonlyMap<ByteString, PathState>;
  /** What it removes of the layers below. */
  readonly removed: ReadonlySet<ByteString>;
  /** Directories of which all that is in them below is hidden. */
  readonly opaque: ReadonlySet<ByteString>;
}

/**
 * Reads what a layer says of paths.
 * Errors: as `readLayerFile`; `layer-too-many-entries`; `layer-tar-path-through-link` where it has a path both as a
 * directory and as something else (what that comes to is another thing with each tool); `layer-tar-whiteout`.
 */
export async function readLayerPaths(file: LayerFile, signal?: AbortSignal): Promise<LayerPaths> {
  const builder = createPathsBuilder(file.shown);
  const { entries } = builder.paths;
  const findFile = (path: ByteString): PathState | undefined => {
    const state = entries.get(path);
    return state === undefined || isDirectoryState(state) ? undefined : state;
  };
  await readMeanings(file, { take: builder.take, findFile }, signal);
  return builder.paths;
}

/** Takes the entries of a layer one after another. `shown` is the layer's name in errors, which are those above. */
export function createPathsBuilder(shown: string): {
  readonly take: (meaning: Meaning) => void;
  readonly paths: LayerPaths;
} {
  const entries = new Map<ByteString, PathState>();
  const removed = new Set<ByteString>();
  const opaque = new Set<ByteString>();
  let size = 0;
  const put = (path: ByteString, state: PathState): void => {
    const there = entries.get(path);
    if (there !== undefined && isDirectoryState(there) !== isDirectoryState(state)) {
      const message = "a path is a directory and something else";
      throw refuseTar("layer-tar-path-through-link", message, shown);
    }
    if (there !== undefined && state === impliedDirectory) return;
    entries.set(path, state);
    size += path.length + state.length;
  };
  const take = (meaning: Meaning): void => {
    const { kind, path } = meaning;
    if (kind === "entry") put(path, meaning.state);
    else if (kind === "opaque") opaque.add(path);
    else removed.add(assertName(path, shown));
    if (kind === "opaque" && path !== "") put(path, impliedDirectory);
    for (const parent of listParents(path)) {
      const there = entries.get(parent);
      if (parent === "" || (there !== undefined && isDirectoryState(there))) break;
      put(parent, impliedDirectory);
    }
    size += path.length;
    assertBounded(entries.size + removed.size + opaque.size, size, shown);
  };
  return { take, paths: { entries, removed, opaque } };
}

/** `.wh.` alone, and those of `.` and `..`, are a directory's: what they remove is another thing with each tool. */
function assertName(path: ByteString, shown: string): ByteString {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (name !== "" && name !== "." && name !== "..") return path;
  throw refuseTar("layer-tar-whiteout", "a whiteout names no path", shown);
}

function assertBounded(count: number, size: number, shown: string): void {
  if (count <= maxEntries && size <= maxIndexSize) return;
  const message = `the layer has more than ${maxEntries} paths, or ${maxIndexSize} bytes of names`;
  throw refuseTar("layer-too-many-entries", message, shown);
}
