import type { LargePath, LayerStatus, PreviousImage } from "../../layers/layers.ts";
import { listHistory, sumMissing } from "../../oci/oci.ts";
import { sumSizes } from "../../units.ts";
import { comparePackages, describePackages, locatePackages } from "./compare-packages.ts";
import { type MatchedLayer, matchLayers } from "./match-layers.ts";
import type { ChangedLayer, ComparedImage, ComparedLayer, Comparison, NewLayer } from "./model.ts";

/** A layer of the image that is compared. Bytes. */
export interface ImageLayer extends MatchedLayer {
  readonly size: number;
  readonly status: LayerStatus;
  readonly largest?: readonly LargePath[] | undefined;
}

/**
 * What became of the layers since the previous image: each of them is new, changed, kept, equal or base, and each of
 * the previous image's is replaced, removed, or the same.
 */
export function compareLayers(
  layers: readonly ImageLayer[],
  previous: Pick<PreviousImage, "reference" | "image" | "origin"> | undefined,
): Comparison {
  const before = previous === undefined ? [] : listImageLayers(previous.image);
  const { same, replaced } = matchLayers(before, layers);
  const entries = [...layers.entries()].filter(([place]) => !same.has(place));
  const changed = entries.flatMap(([place, layer]) => {
    const partner = replaced.get(place);
    const old = partner === undefined ? undefined : before[partner];
    return old === undefined ? [] : [describeChanged(layer, old)];
  });
  const added = entries.filter(([place]) => !replaced.has(place));
  // Without an image before, what stands below is the base's all the same.
  const isBase = (layer: ImageLayer): boolean => previous === undefined && layer.status === "base";
  const fresh = added.flatMap(([, layer]) => (isBase(layer) ? [] : [describeNew(layer)]));
  const taken = new Set([...same.values(), ...replaced.values()]);
  const gone = before.filter((_, place) => !taken.has(place)).map(describeLayer);
  const both = layers.filter((layer, place) => same.has(place) || isBase(layer));
  return {
    ...(previous === undefined ? {} : { previous: describePrevious(previous, before) }),
    changed,
    new: fresh,
    removed: locatePackages(gone, [...changed, ...fresh]),
    same: sumByStatus(both),
    size: sumSizes(layers),
    download: sumMissing(layers, before),
    shared: sumShared(layers),
  };
}

interface PreviousLayer extends MatchedLayer {
  readonly size: number;
}

function listImageLayers(image: PreviousImage["image"]): readonly PreviousLayer[] {
  return listHistory(image).flatMap(({ entry, layer }) => {
    if (layer === undefined) return [];
    const { digest, size } = layer.descriptor;
    return [{ name: entry.created_by ?? "", digest, diffId: layer.diffId, size }];
  });
}

function describePrevious(
  { reference, image, origin }: Pick<PreviousImage, "reference" | "image" | "origin">,
  layers: readonly PreviousLayer[],
): ComparedImage {
  const { digest } = image;
  return { reference, digest, origin, layers: layers.length, size: sumSizes(layers) };
}

function describeLayer({ name, digest, size }: PreviousLayer): ComparedLayer {
  return { name, digest, size, ...describePackages({ name }) };
}

function describeNew(layer: ImageLayer): NewLayer {
  const { largest } = layer;
  return { ...describeLayer(layer), ...(largest === undefined ? {} : { largest }) };
}

function describeChanged(layer: ImageLayer, old: PreviousLayer): ChangedLayer {
  const packageChanges = comparePackages(old.name, layer.name);
  return {
    ...describeNew(layer),
    replaces: describeLayer(old),
    ...(packageChanges === undefined ? {} : { packageChanges }),
  };
}

/** A layer that the build wrote is equal where the previous image has its very bytes, whatever was known of that. */
function sumByStatus(layers: readonly ImageLayer[]): Comparison["same"] {
  const sum = (statuses: readonly LayerStatus[]) => {
    const some = layers.filter(({ status }) => statuses.includes(status));
    return { layers: some.length, size: sumSizes(some) };
  };
  return { kept: sum(["kept"]), equal: sum(["equal", "new"]), base: sum(["base"]) };
}

function sumShared(layers: readonly ImageLayer[]): Comparison["shared"] {
  const shared = layers.flatMap((layer) => describePackages(layer).packages?.length ?? []);
  return { layers: shared.length, packages: shared.reduce((sum, one) => sum + one, 0) };
}
