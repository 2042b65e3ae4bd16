import type { Digest } from "../../oci/oci.ts";
import { listNameKeys, nameStem, splitPackages } from "./layer-names.ts";

/** A layer as far as it is matched. */
export interface MatchedLayer {
  readonly name: string;
  readonly digest: Digest;
  readonly diffId: Digest;
}

/** For layers of an image the places of those in the image before that they are or stand for; no place is there twice. */
export interface Matches {
  /** The same blob. */
  readonly same: ReadonlyMap<number, number>;
  /** Another blob in the place of one that is gone. */
  readonly replaced: ReadonlyMap<number, number>;
}

/**
 * Which layers of an image are those of the image before, and which stand for one of them that is gone: the same archive in
 * other bytes, then the same name with other content, then a name that differs in its version alone, then a layer that
 * most of the packages of which it shares. Of several that would do, in their order.
 */
export function matchLayers(
  before: readonly MatchedLayer[],
  after: readonly MatchedLayer[],
): Matches {
  const same = new Map<number, number>();
  const replaced = new Map<number, number>();
  const layers: Layers = {
    before,
    after,
    left: new Set(before.keys()),
    open: new Set(after.keys()),
  };
  pairByKey(layers, ({ digest }) => [digest], same);
  pairByKey(layers, ({ diffId }) => [diffId], replaced);
  pairByKey(layers, ({ name }) => (name === "" ? [] : [name]), replaced);
  pairByKey(layers, ({ name }) => (isShared(name) ? [] : listNameKeys(name)), replaced);
  pairByPackages(layers, replaced);
  return { same, replaced };
}

interface Layers {
  readonly before: readonly MatchedLayer[];
  readonly after: readonly MatchedLayer[];
  /** Places in `before` and `after` that have no partner yet. */
  readonly left: Set<number>;
  readonly open: Set<number>;
}

type ListKeys = (layer: MatchedLayer) => readonly string[];

function isShared(name: string): boolean {
  return splitPackages(name) !== undefined;
}

/** Layers that have a key in common, those with the longest one first. */
function pairByKey(layers: Layers, listKeys: ListKeys, pairs: Map<number, number>): void {
  const olds = indexKeys(layers.before, layers.left, listKeys);
  const news = indexKeys(layers.after, layers.open, listKeys);
  const common = [...news.keys()].filter((key) => olds.has(key));
  for (const key of common.sort((a, b) => b.length - a.length)) {
    const old = (olds.get(key) ?? []).filter((place) => layers.left.has(place));
    const now = (news.get(key) ?? []).filter((place) => layers.open.has(place));
    for (const [index, place] of now.entries()) {
      const partner = old[index];
      if (partner !== undefined) pair(layers, [place, partner], pairs);
    }
  }
}

function indexKeys(
  layers: readonly MatchedLayer[],
  places: ReadonlySet<number>,
  listKeys: ListKeys,
): ReadonlyMap<string, readonly number[]> {
  const index = new Map<string, number[]>();
  for (const place of places) {
    const layer = layers[place];
    for (const key of layer === undefined ? [] : new Set(listKeys(layer))) {
      const known = index.get(key);
      if (known === undefined) index.set(key, [place]);
      else known.push(place);
    }
  }
  return index;
}

function pair(
  { left, open }: Layers,
  [place, partner]: readonly [number, number],
  pairs: Map<number, number>,
): void {
  pairs.set(place, partner);
  open.delete(place);
  left.delete(partner);
}

interface Candidate {
  readonly place: number;
  readonly partner: number;
  /** How many packages both have. */
  readonly count: number;
}

/** Layers of several packages that have at least half of the smaller one's in common, those with most of them first. */
function pairByPackages(layers: Layers, pairs: Map<number, number>): void {
  const olds = indexStems(layers.before, layers.left);
  const news = indexStems(layers.after, layers.open);
  const candidates = [...news].flatMap(([place, own]) =>
    countCommon(own, olds).flatMap(([partner, count]): readonly Candidate[] => {
      const other = olds.get(partner)?.size ?? 0;
      const isSingle = Math.max(own.size, other) < 2;
      return isSingle || 2 * count < Math.min(own.size, other) ? [] : [{ place, partner, count }];
    }),
  );
  for (const { place, partner } of candidates.sort((a, b) => b.count - a.count))
    if (layers.open.has(place) && layers.left.has(partner)) pair(layers, [place, partner], pairs);
}

type Stems = ReadonlyMap<number, ReadonlySet<string>>;

function indexStems(layers: readonly MatchedLayer[], places: ReadonlySet<number>): Stems {
  return new Map([...places].map((place) => [place, listStems(layers[place]?.name ?? "")]));
}

function listStems(name: string): ReadonlySet<string> {
  return new Set((splitPackages(name) ?? [name]).map(nameStem));
}

/** For each of the others that has one of the stems, how many. */
function countCommon(
  stems: ReadonlySet<string>,
  others: Stems,
): readonly (readonly [number, number])[] {
  return [...others].flatMap(([place, other]) => {
    let count = 0;
    for (const stem of stems) if (other.has(stem)) count += 1;
    return count === 0 ? [] : [[place, count] as const];
  });
}
