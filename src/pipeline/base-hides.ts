import {
  absent,
  impliedDirectory,
  isDirectoryState,
  listDisputed,
  listParents,
  listSayings,
  newDirectory,
  type Saying,
  type Settled,
  settlePath,
} from "../archive/archive.ts";
import { countCommon, type Digest } from "../oci/oci.ts";
import type { KnownPaths } from "./base-order.ts";

/** A layer where it stands, and which of the bases it comes from. */
export interface PlacedLayer {
  readonly base: number;
  readonly diffId: Digest;
}

/** What the bases are, and how their layers stand one above the other. */
export interface Standing {
  /** The diff IDs of each base's layers, the lowest first. */
  readonly bases: readonly (readonly Digest[])[];
  readonly placed: readonly PlacedLayer[];
}

/** A path of one base that another one hides. */
export interface HiddenPath {
  /** One character a byte. */
  readonly path: string;
  readonly of: number;
  readonly by: number;
}

/**
 * The paths at which a base's own layers hide what another base has, as far as layers are known; ascending. Files and
 * links that are not the same, what is removed, and directories of another mode or owner. What a base makes of the
 * layers that it begins with is its own business where it stands above the other base that begins with them, too; where
 * it stands below, the other base would have had its own again, and does not, for those layers stand once: that is told,
 * and so is what the other base had removed. Where a directory is gone, what was in it is not told.
 */
export function findHidden(standing: Standing, paths: KnownPaths): readonly HiddenPath[] {
  const search = createSearch(standing, paths);
  const layers = new Map([...paths.values()].entries());
  return listDisputed(layers.values()).flatMap((path) => {
    const sayings = listSayings(layers, path);
    const now = settle(sayings, search.result);
    if (now === undefined) return [];
    return search.towers.flatMap((tower, of) => {
      const own = settle(sayings, tower);
      return own === undefined ? [] : judge(search, { path, of, own, now });
    });
  });
}

interface Search extends Standing {
  readonly towers: readonly Tower[];
  readonly result: Tower;
  /** Of each base the directories that are none any more. */
  readonly gone: readonly Set<string>[];
}

function createSearch({ bases, placed }: Standing, paths: KnownPaths): Search {
  const numbers = new Map([...paths.keys()].map((diffId, number) => [diffId, number]));
  const towers = bases.map((base) => createTower(base, numbers));
  const result = createTower(
    placed.map(({ diffId }) => diffId),
    numbers,
  );
  return { bases, placed, towers, result, gone: bases.map(() => new Set<string>()) };
}

/** A path as one base has it, and as the result has it. */
interface Comparison {
  readonly path: string;
  readonly of: number;
  readonly own: Settled;
  readonly now: Settled;
}

function judge(search: Search, { path, of, own, now }: Comparison): readonly HiddenPath[] {
  const gone = search.gone[of] ?? new Set();
  if (own.state === now.state || isGone(gone, path)) return [];
  // Of a directory that was made anew either the one that removed it is another base, or the one that made it.
  const [decides = of, has = of] = [now.layer, now.top].map(
    (layer) => search.placed[search.result.get(layer) ?? -1]?.base,
  );
  const by = decides === of ? has : decides;
  const [base = [], other = []] = [search.bases[of], search.bases[by]];
  const common = countCommon(base, other);
  const isShared = (layer: number): boolean => (search.towers[of]?.get(layer) ?? -1) < common;
  if (by === of || !isHidden({ own, now, isAbove: by > of, isShared })) return [];
  if (isDirectoryState(own.state) && !isDirectoryState(now.state)) gone.add(path);
  return [{ path, of, by }];
}

/** Where in a list of layers each layer stands, the topmost place of it. */
type Tower = ReadonlyMap<number, number>;

function createTower(list: readonly Digest[], numbers: ReadonlyMap<Digest, number>): Tower {
  return new Map(
    list.flatMap((diffId, place): readonly [number, number][] => {
      const number = numbers.get(diffId);
      return number === undefined ? [] : [[number, place]];
    }),
  );
}

function settle(sayings: readonly Saying[], tower: Tower): Settled | undefined {
  const placeOf = ({ layer }: Saying): number => tower.get(layer) ?? -1;
  const own = sayings.filter((one) => placeOf(one) !== -1);
  return settlePath(own.sort((a, b) => placeOf(b) - placeOf(a)));
}

interface Difference extends Pick<Comparison, "own" | "now"> {
  /** Whether the base that makes it stands above. */
  readonly isAbove: boolean;
  /** Whether that base begins with that layer of this one, too. */
  readonly isShared: (layer: number) => boolean;
}

function isHidden({ own, now, isAbove, isShared }: Difference): boolean {
  const areDirectories = isDirectoryState(own.state) && isDirectoryState(now.state);
  if (own.state === impliedDirectory && areDirectories) return false;
  if (!isAbove) return true;
  if (own.state === absent || (own.state === newDirectory && areDirectories)) return false;
  return !isShared(areDirectories ? own.layer : own.top);
}

function isGone(gone: ReadonlySet<string>, path: string): boolean {
  if (gone.size === 0) return false;
  for (const parent of listParents(path)) if (gone.has(parent)) return true;
  return false;
}
