import { isUntouched, type LayerPaths } from "../archive/archive.ts";
import type { CollectedEntry, CollectedLayer } from "../layers/layers.ts";
import {
  countCommonLayers,
  type Digest,
  type HistoryItem,
  listHistory,
  listHistoryAbove,
  toOciMediaType,
} from "../oci/oci.ts";
import type { BaseImage } from "./bases.ts";

/** An entry that stands below those of the build, and which of the bases it comes from. */
export interface PlacedEntry {
  readonly base: number;
  readonly entry: CollectedEntry;
}

/** What layers say of paths, by their diff IDs, where their bytes are at hand. */
export type KnownPaths = ReadonlyMap<Digest, LayerPaths>;

type Documents = readonly Pick<BaseImage, "image">[];

/** The entries of all bases, one base above the other. */
export function concatenate(bases: Documents): readonly PlacedEntry[] {
  return bases.flatMap(({ image }, base) => placeItems(listHistory(image), base));
}

/**
 * The same, where the leading layers that a base has in common with one before it stand once, where that one has them:
 * the longest run of that kind, whichever base it is. So [b, x], [b, y], [b, y, z] come to b, x, y, z. Layers are the
 * same where their diff IDs are. The entries of a run that have no layer go with it.
 */
export function standOnce(bases: Documents): readonly PlacedEntry[] {
  return bases.flatMap(({ image }, base) => {
    const [first, ...others] = bases.slice(0, base).map((one) => ({
      image: one.image,
      common: countCommonLayers(image, one.image),
    }));
    if (first === undefined) return placeItems(listHistory(image), base);
    const most = others.reduce((a, b) => (b.common > a.common ? b : a), first);
    // Bases without a layer in common may begin with the same words, and mean their own.
    const items =
      most.common === 0 ? listHistory(image) : listHistoryAbove(image, most.image, most.common);
    return placeItems(items, base);
  });
}

/**
 * Without the layers of a base that one before it has, too, where it is proved that they change nothing once more: A, B,
 * A comes to A's files, and A, B to B's, unless B leaves all of A's paths alone. What a base itself lists twice stays.
 */
export function dropRepeated(
  placed: readonly PlacedEntry[],
  bases: Documents,
  paths: KnownPaths,
): readonly PlacedEntry[] {
  const twice = bases.map(({ image }) => listTwice(image.config.rootfs.diff_ids));
  const kept: PlacedEntry[] = [];
  for (const one of placed) {
    const layer = findLayer(one);
    const mayGo = layer !== undefined && twice[one.base]?.has(layer.diffId) !== true;
    if (!mayGo || !isIdle(layer, listLayers(kept), paths)) kept.push(one);
  }
  return kept;
}

function listTwice(diffIds: readonly Digest[]): ReadonlySet<Digest> {
  return new Set(diffIds.filter((one, index) => diffIds.indexOf(one) !== index));
}

/** Whether it is certain that the layer changes nothing above those. */
function isIdle(
  { diffId }: CollectedLayer,
  below: readonly CollectedLayer[],
  paths: KnownPaths,
): boolean {
  const at = below.findLastIndex((other) => other.diffId === diffId);
  if (at === -1) return false;
  const between = below.slice(at + 1);
  if (between.length === 0) return true;
  const layer = paths.get(diffId);
  const known = between.flatMap((other) => paths.get(other.diffId) ?? []);
  return layer !== undefined && known.length === between.length && isUntouched(layer, known);
}

/** Their layers, the lowest first. */
export function listLayers(placed: readonly PlacedEntry[]): readonly CollectedLayer[] {
  return placed.flatMap((one) => findLayer(one) ?? []);
}

function findLayer({ entry }: PlacedEntry): CollectedLayer | undefined {
  return entry.kind === "layer" ? entry.layer : undefined;
}

function placeItems(items: readonly HistoryItem[], base: number): readonly PlacedEntry[] {
  return items.map((item) => ({ base, entry: describeItem(item) }));
}

function describeItem({ entry, layer }: HistoryItem): CollectedEntry {
  if (layer === undefined) return { kind: "empty", history: entry };
  const { descriptor, diffId } = layer;
  const own = { ...descriptor, mediaType: toOciMediaType(descriptor.mediaType) };
  const name = entry.created_by ?? "";
  return {
    kind: "layer",
    layer: { name, status: "base", descriptor: own, diffId, history: entry },
  };
}
