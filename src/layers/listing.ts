import type { Digest, HistoryEntry } from "../oci/model.ts";
import type { LooseLayer, OutputScan } from "./output-scan.ts";
import type { PreviousLayer, PreviousLayers } from "./previous.ts";
import type { ListedEntry } from "./read/documents.ts";
import { refuseOwn } from "./read/documents.ts";
import { showName } from "./read/directory.ts";
import { refuse } from "./refuse.ts";
import type { OutputEntry } from "./schema.ts";
import { isOwnAnnotation } from "./schema.ts";

/** One entry of the image to be, and where its layer comes from. */
export type Listing =
  | { readonly kind: "blob"; readonly digest: Digest; readonly listed: ListedEntry }
  | {
      readonly kind: "kept";
      readonly layer: PreviousLayer;
      readonly listed: ListedEntry | undefined;
    }
  | {
      readonly kind: "loose";
      readonly layer: LooseLayer;
      readonly listed: ListedEntry | undefined;
    }
  | { readonly kind: "empty"; readonly history: HistoryEntry };

/**
 * What the build listed, in order. A history file alone says what there is; without one it is what lies in
 * `output/layers`. Errors: `layer-digest-unknown`, `layer-path-unknown`, `layer-name-unknown`,
 * `output-json-invalid`, `output-not-listed`, `output-annotation-reserved`.
 */
export function listLayers(
  scan: OutputScan,
  history: readonly ListedEntry[] | undefined,
  previous: PreviousLayers,
): readonly Listing[] {
  const listings =
    history === undefined
      ? scan.layers.map((layer) => resolveLoose(scan, layer, undefined, previous))
      : history.map((listed) => resolveEntry(scan, listed, previous));
  assertAllListed(scan, history === undefined, listings);
  return listings;
}

function resolveEntry(scan: OutputScan, listed: ListedEntry, previous: PreviousLayers): Listing {
  const { entry, locate } = listed;
  if (entry.empty_layer === true) return resolveEmpty(listed);
  if ((entry.path === undefined) === (entry.digest === undefined)) {
    const message = "an entry names its layer by either digest or path";
    throw refuse(
      "output-json-invalid",
      message,
      locate(),
      "Only one with empty_layer has neither.",
    );
  }
  if (entry.path !== undefined) {
    const layer = findPath(scan, entry.path);
    if (layer !== undefined) return resolveLoose(scan, layer, listed, previous);
    const hint = "A path is layers/<name> as it stands in output/.";
    const message = `there is no layer ${JSON.stringify(entry.path)}`;
    throw refuse("layer-path-unknown", message, locate("path"), hint);
  }
  return resolveDigest(scan, listed, entry.digest, previous);
}

function resolveEmpty({ entry, locate }: ListedEntry): Listing {
  if (entry.digest === undefined && entry.path === undefined) {
    return { kind: "empty", history: { ...pickHistory(entry), empty_layer: true } };
  }
  const message = "an entry with empty_layer has no layer";
  throw refuse("output-json-invalid", message, locate("empty_layer"), "Leave out one of the two.");
}

function findPath(scan: OutputScan, path: string): LooseLayer | undefined {
  const bytes = Buffer.from(path, "utf8").toString("latin1");
  return scan.layers.find((layer) => bytes === `layers/${layer.fileName}`);
}

function resolveDigest(
  scan: OutputScan,
  listed: ListedEntry,
  digest: Digest | undefined,
  previous: PreviousLayers,
): Listing {
  const { entry, locate } = listed;
  const layer = digest === undefined ? undefined : previous.byDigest.get(digest);
  if (layer === undefined) assertForeign(listed, {});
  else assertForeign(listed, layer.descriptor.annotations ?? {});
  if (digest !== undefined && scan.blobs.has(digest)) {
    if (entry.created_by !== undefined || layer !== undefined)
      return { kind: "blob", digest, listed };
    const hint = "The name is what the next build finds the layer by.";
    throw refuse("output-json-invalid", "a new layer has no created_by", locate(), hint);
  }
  if (layer !== undefined) return { kind: "kept", layer, listed };
  const hint = "Put the blob into output/blobs/sha256, or name a layer of history.json.";
  const message = `nobody has the blob ${digest ?? ""}`;
  throw refuse("layer-digest-unknown", message, locate("digest"), hint);
}

function resolveLoose(
  scan: OutputScan,
  layer: LooseLayer,
  listed: ListedEntry | undefined,
  previous: PreviousLayers,
): Listing {
  if (listed !== undefined) assertForeign(listed, {});
  if (layer.kind !== "keep") return { kind: "loose", layer, listed };
  const kept = previous.byName.get(layer.name);
  if (kept !== undefined) return { kind: "kept", layer: kept, listed };
  const hint = "Look for the name in history.json, or run `layer has NAME`, before you keep it.";
  const message = `no previous image has a layer named ${JSON.stringify(layer.name)}`;
  throw refuse("layer-name-unknown", message, { file: placeOf(scan, layer) }, hint);
}

/** An annotation of ours that is copied along unchanged is no claim. */
function assertForeign(
  { entry, locate }: ListedEntry,
  known: Readonly<Record<string, string>>,
): void {
  for (const [key, value] of Object.entries(entry.annotations ?? {})) {
    if (!isOwnAnnotation(key) || known[key] === value) continue;
    throw refuseOwn(key, locate("annotations", key));
  }
}

function assertAllListed(scan: OutputScan, isByName: boolean, listings: readonly Listing[]): void {
  const used = new Set(
    listings.flatMap((item): unknown[] =>
      item.kind === "blob" ? [item.digest] : item.kind === "loose" ? [item.layer] : [],
    ),
  );
  const names = new Set(
    listings.flatMap((item) => ("listed" in item ? [item.listed?.entry.path] : [])),
  );
  const hint = isByName
    ? "Name it in output/history.json."
    : "Name it in the history file, or remove it.";
  const message = isByName ? "no history file names the blob" : "the history file does not name it";
  for (const digest of scan.blobs.keys()) {
    if (used.has(digest)) continue;
    const file = `output/blobs/sha256/${digest.slice("sha256:".length)}`;
    throw refuse("output-not-listed", message, { file }, hint);
  }
  if (isByName) return;
  for (const layer of scan.layers) {
    const isNamed =
      used.has(layer) || names.has(`layers/${Buffer.from(layer.fileName, "latin1").toString()}`);
    if (!isNamed) throw refuse("output-not-listed", message, { file: placeOf(scan, layer) }, hint);
  }
}

function placeOf(scan: OutputScan, layer: LooseLayer): string {
  const { layerDirectory } = scan;
  return layerDirectory === undefined ? "output/layers" : showName(layerDirectory, layer.fileName);
}

/** What the build says about an entry itself. */
export function pickHistory(entry: OutputEntry): HistoryEntry {
  const { created, created_by, author, comment } = entry;
  return {
    ...(created === undefined ? {} : { created }),
    ...(created_by === undefined ? {} : { created_by }),
    ...(author === undefined ? {} : { author }),
    ...(comment === undefined ? {} : { comment }),
  };
}
