import { digestHex } from "./digest.ts";
import { unpackFingerprints } from "./fingerprints.ts";
import { unpackContents } from "./layer-key.ts";
import { toOciMediaType } from "./media-types.ts";
import type { Descriptor, Digest, HistoryEntry, HistoryItem, Image } from "./model.ts";

/** What tells an image's layers and history. */
type Documents = Pick<Image, "manifest" | "config">;

interface Layer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

/**
 * One item for each entry of the image's history, in order, the non-empty ones with their layer. Where
 * the history is missing or does not match the layers: one item a layer, named by its diff ID.
 * Docker's media types are given as OCI's; a layer has its fingerprint as an annotation. image-spec v1.1, config.md, "history".
 */
export function listHistory(image: Documents): readonly HistoryItem[] {
  const layers = pairLayers(image);
  const history = image.config.history ?? [];
  const filled = history.filter((entry) => entry.empty_layer !== true);
  if (filled.length !== layers.length) {
    return layers.map((layer) => ({ entry: { created_by: generateName(layer.diffId) }, layer }));
  }
  return matchHistory(history, layers);
}

/**
 * What an image's history has above so many layers that it has in common with another: the entries of its other layers,
 * and those without a layer, but for the first ones where the other image has the same.
 */
export function listHistoryAbove(
  image: Documents,
  other: Documents,
  common: number,
): readonly HistoryItem[] {
  const rest = listFrom(image, common);
  const others = listFrom(other, common);
  const differing = rest.findIndex(({ entry, layer }, index) => {
    const same = others[index];
    return layer !== undefined || same === undefined || !isSameEntry(entry, same.entry);
  });
  return differing === -1 ? [] : rest.slice(differing);
}

/** The items behind that of the last of so many layers. */
function listFrom(image: Documents, layers: number): readonly HistoryItem[] {
  const items = listHistory(image);
  let left = layers;
  if (left === 0) return items;
  const last = items.findIndex(({ layer }) => layer !== undefined && (left -= 1) === 0);
  return items.slice(last + 1);
}

/** Builds that fix their times change those of the base's entries too. */
function isSameEntry(a: HistoryEntry, b: HistoryEntry): boolean {
  return a.created_by === b.created_by && a.author === b.author && a.comment === b.comment;
}

function pairLayers(image: Documents): readonly Layer[] {
  const diffIds = image.config.rootfs.diff_ids;
  const contents = unpackContents(image.config);
  return unpackFingerprints(image.manifest).flatMap((layer, index) => {
    const diffId = diffIds[index];
    const known = contents[index];
    const annotations = known && { annotations: { ...known, ...layer.annotations } };
    const descriptor = { ...layer, ...annotations, mediaType: toOciMediaType(layer.mediaType) };
    return diffId === undefined ? [] : [{ descriptor, diffId }];
  });
}

/** By content and not by position, so that the name holds when a layer below comes or goes. */
function generateName(diffId: Digest): string {
  return `layer-${digestHex(diffId).slice(0, 12)}`;
}

function matchHistory(
  history: readonly HistoryEntry[],
  layers: readonly Layer[],
): readonly HistoryItem[] {
  const rest = layers.values();
  return history.map((entry) => {
    const layer = entry.empty_layer === true ? undefined : rest.next().value;
    return layer === undefined ? { entry } : { entry, layer };
  });
}
