import {
  absent,
  isDirectoryState,
  showBytes,
  type ByteString,
  type LayerFile,
} from "../../archive/archive.ts";
import { readBasePaths, type BasePaths } from "./base-paths.ts";
import { findCover, readOwnPaths, type OwnPaths } from "./own-paths.ts";

export interface ConflictInput {
  /** An image's own layers, the lowest first. */
  readonly own: readonly LayerFile[];
  /** The layers of its old base and of its new one, without those that both begin with. */
  readonly from: readonly LayerFile[];
  readonly onto: readonly LayerFile[];
  readonly signal?: AbortSignal;
}

/** A path that the bases have differently, and that an own layer hides. */
export interface Conflict {
  /** As a person reads it. */
  readonly path: string;
  /** Which of the own layers hides it. */
  readonly layer: number;
}

/**
 * The paths at which an image's own layers hide what changed in its base, ascending: those that the bases have
 * differently (times aside) and that an own layer has as another thing than a directory, removes, or lies
 * above; and those that became something else than the directory that an own layer has there. Where one
 * base's layers leave a path as it is below, and the other's do not, it counts as changed: what both bases
 * begin with is not read. Errors: as `readMeanings`.
 */
export async function findConflicts(input: ConflictInput): Promise<readonly Conflict[]> {
  const { signal } = input;
  const own = await readOwnPaths(input.own, signal);
  const matters = (path: ByteString): boolean =>
    own.directories.has(path) || findCover(own, path) !== undefined;
  const [from, onto] = await Promise.all([
    readBasePaths(input.from, matters, signal),
    readBasePaths(input.onto, matters, signal),
  ]);
  const candidates = new Set([...from.list(), ...onto.list(), ...own.covers.keys()]);
  return [...candidates].sort().flatMap((path) => {
    const layer = findHiding(own, { from, onto }, path);
    return layer === undefined ? [] : [{ path: showBytes(path), layer }];
  });
}

function findHiding(
  own: OwnPaths,
  { from, onto }: Readonly<Record<"from" | "onto", BasePaths>>,
  path: ByteString,
): number | undefined {
  const [before, after] = [from.find(path), onto.find(path)];
  if (before === after) return undefined;
  const cover = findCover(own, path);
  if (cover !== undefined) return cover;
  // A directory over a directory is no more than that; over anything else it takes its place.
  const isOther = after !== undefined && !isDirectoryState(after) && after !== absent;
  return isOther ? own.directories.get(path) : undefined;
}
