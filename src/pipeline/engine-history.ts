import { type Digest, type HistoryEntry, type ImageConfig, inputsLabel } from "../oci/oci.ts";

/** An entry of the history of a stage that the engine built. */
export interface EngineEntry {
  /** Without times, and without what the engine says of its own. */
  readonly history: HistoryEntry;
  /** The layer that it stands for, as the engine has it; undefined for an entry without one. */
  readonly diffId: Digest | undefined;
  /** Whether it stands for a step of ours, of which an image says nothing. */
  readonly isOurs: boolean;
}

/**
 * What an image of the engine's has above its base: entries and layers in order. Where its history says nothing of
 * its layers (`--omit-history`), or not of all, each layer has an entry that is named by its place.
 * @param base its layers are the image's lowest; undefined for none
 */
export function listEngineEntries(
  image: ImageConfig,
  base: ImageConfig | undefined,
): readonly EngineEntry[] {
  const diffIds = image.rootfs.diff_ids.slice(base?.rootfs.diff_ids.length ?? 0);
  const history = findOwnHistory(image, base);
  const filled = history.filter((entry) => entry.empty_layer !== true);
  if (filled.length !== diffIds.length) {
    return diffIds.map((diffId, index) => ({ history: nameLayer(index), diffId, isOurs: false }));
  }
  return history.map((entry): EngineEntry => {
    const index = filled.indexOf(entry);
    const isOurs = isOwnStep(entry);
    const named = isOurs && index !== -1 ? nameLayer(index) : clean(entry);
    return { history: named, diffId: diffIds[index], isOurs };
  });
}

/** The image's history without that of its base. Engines keep the latter as it was, and add to it. */
function findOwnHistory(
  image: ImageConfig,
  base: ImageConfig | undefined,
): readonly HistoryEntry[] {
  const history = image.history ?? [];
  const below = base?.history ?? [];
  if (countLayers(history) !== image.rootfs.diff_ids.length) return history.slice(below.length);
  const layers = base?.rootfs.diff_ids.length ?? 0;
  const rest = history.slice(findEnd(history, layers));
  // Entries without a layer behind the base's last one: as many as are there in both.
  const trailing = countLayers(below) === layers ? below.slice(findEnd(below, layers)) : [];
  const differing = rest.findIndex((entry, index) => {
    const other = trailing[index];
    return other === undefined || !isSameEntry(entry, other);
  });
  return differing === -1 ? [] : rest.slice(differing);
}

function countLayers(history: readonly HistoryEntry[]): number {
  return history.filter((entry) => entry.empty_layer !== true).length;
}

/** The place behind the entry of the last of so many layers. */
function findEnd(history: readonly HistoryEntry[], layers: number): number {
  let left = layers;
  if (left === 0) return 0;
  return history.findIndex((entry) => entry.empty_layer !== true && (left -= 1) === 0) + 1;
}

/** A comment may have been left out below, and builds that fix their times change those of the base's entries too. */
function isSameEntry(a: HistoryEntry, b: HistoryEntry): boolean {
  const isEmpty = a.empty_layer === true && b.empty_layer === true;
  return isEmpty && a.created_by === b.created_by && a.author === b.author;
}

/** A label that tells steps apart for the engine's cache, as buildah writes it (`getCreatedBy` in stage_executor.go). */
function isOwnStep({ created_by: text = "" }: HistoryEntry): boolean {
  return text.startsWith(`/bin/sh -c #(nop) LABEL ${inputsLabel}=`);
}

/** Comments name the base as the run calls it, and times are the run's: each build would give another image. */
function clean({ created_by, author, empty_layer }: HistoryEntry): HistoryEntry {
  return {
    ...(created_by === undefined ? {} : { created_by }),
    ...(author === undefined || author === "" ? {} : { author }),
    ...(empty_layer === true ? { empty_layer } : {}),
  };
}

/** By its place, not by its content: times of files are in that, and the next build would not find it again. */
function nameLayer(index: number): HistoryEntry {
  return { created_by: `layer ${index + 1}` };
}
