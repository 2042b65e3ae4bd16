import type { XbuildError } from "../../errors.ts";
import { digestHex } from "../../oci/oci.ts";
import { refuse } from "../../archive/archive.ts";
import type { ListedEntry } from "../directory/documents.ts";
import type { OutputScan } from "../directory/output-scan.ts";
import {
  resolveEntry,
  resolveLoose,
  showLayer,
  toBytes,
  type Listing,
  type Sources,
} from "./listing.ts";
import type { PreviousLayers } from "./previous.ts";

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
  const sources = { scan, previous, byPath: indexPaths(scan) };
  const listings =
    history === undefined
      ? scan.layers.map((layer) => resolveLoose(sources, layer, undefined))
      : history.map((listed) => resolveEntry(sources, listed));
  assertAllListed(sources, history, listings);
  return listings;
}

function indexPaths({ layers }: OutputScan): Sources["byPath"] {
  return new Map(layers.map((layer) => [`layers/${layer.fileName}`, layer]));
}

function assertAllListed(
  { scan }: Sources,
  history: readonly ListedEntry[] | undefined,
  listings: readonly Listing[],
): void {
  const digests = new Set(listings.flatMap((item) => (item.kind === "blob" ? [item.digest] : [])));
  const blob = [...scan.blobs.keys()].find((digest) => !digests.has(digest));
  if (blob !== undefined) {
    const file = `output/blobs/sha256/${digestHex(blob)}`;
    throw history === undefined ? refuseWithoutHistory(file) : refuseUnlisted(file);
  }
  if (history === undefined) return;
  const paths = new Set(
    history.flatMap(({ entry }) => (entry.path === undefined ? [] : [toBytes(entry.path)])),
  );
  const layer = scan.layers.find(({ fileName }) => !paths.has(`layers/${fileName}`));
  if (layer !== undefined) throw refuseUnlisted(showLayer(scan, layer));
}

function refuseWithoutHistory(file: string): XbuildError {
  const hint = "list it in output/history.json";
  return refuse("output-not-listed", "no history file lists the blob", { file, hint });
}

function refuseUnlisted(file: string): XbuildError {
  const hint = "list it in the history file, or remove it";
  return refuse("output-not-listed", "the history file does not list it", { file, hint });
}
