import { digestHex } from "./digest.ts";
import { unpackFingerprints } from "./fingerprints.ts";
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

function pairLayers(image: Documents): readonly Layer[] {
  const diffIds = image.config.rootfs.diff_ids;
  return unpackFingerprints(image.manifest).flatMap((layer, index) => {
    const diffId = diffIds[index];
    const descriptor = { ...layer, mediaType: toOciMediaType(layer.mediaType) };
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
