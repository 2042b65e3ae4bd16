import type { Digest, HistoryEntry } from "../../oci/oci.ts";
import { quoteText } from "../../text.ts";
import type { LooseLayer } from "../directory/loose-layers.ts";
import type { OutputScan } from "../directory/output-scan.ts";
import type { PreviousLayer, PreviousLayers } from "./previous.ts";
import { refuseOwn, type ListedEntry } from "../directory/documents.ts";
import { refuse, showName, type ByteString } from "../../archive/archive.ts";
import { isOwnAnnotation, type OutputEntry } from "../directory/schema.ts";

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

/** Where the layers that a build lists may come from. */
export interface Sources {
  readonly scan: OutputScan;
  readonly previous: PreviousLayers;
  /** Loose layers by the bytes of what an entry's `path` says. */
  readonly byPath: ReadonlyMap<ByteString, LooseLayer>;
}

/** What an entry of a history file stands for. Errors: as `listLayers`, but for `output-not-listed`. */
export function resolveEntry(sources: Sources, listed: ListedEntry): Listing {
  const { entry, locate } = listed;
  if (entry.empty_layer === true) return resolveEmpty(listed);
  if (entry.path === undefined && entry.digest === undefined && entry.diff_id !== undefined) {
    return resolveDiffId(sources, listed, entry.diff_id);
  }
  if ((entry.path === undefined) === (entry.digest === undefined)) {
    const message = "an entry must have either a digest or a path";
    throw refuse("output-json-invalid", message, {
      ...locate(),
      hint: "give one of the two, or empty_layer where there is no layer",
    });
  }
  if (entry.path !== undefined) {
    const layer = sources.byPath.get(toBytes(entry.path));
    if (layer !== undefined) return resolveLoose(sources, layer, listed);
    const hint = "write the path as layers/<name>, as it is in output/";
    const message = `unknown path ${quoteText(entry.path)}: there is no such layer in output/layers`;
    throw refuse("layer-path-unknown", message, { ...locate("path"), hint });
  }
  return resolveDigest(sources, listed, entry.digest);
}

/** A path of a history file as the names of files are. */
export function toBytes(text: string): ByteString {
  return Buffer.from(text, "utf8").toString("latin1");
}

function resolveEmpty({ entry, locate }: ListedEntry): Listing {
  if (entry.digest === undefined && entry.path === undefined) {
    return { kind: "empty", history: { ...pickHistory(entry), empty_layer: true } };
  }
  const message = "an entry with empty_layer cannot name a layer";
  throw refuse("output-json-invalid", message, {
    ...locate("empty_layer"),
    hint: "remove one of the two",
  });
}

function resolveDigest(
  { scan, previous }: Sources,
  listed: ListedEntry,
  digest: Digest | undefined,
): Listing {
  const { entry, locate } = listed;
  const layer = digest === undefined ? undefined : previous.byDigest.get(digest);
  if (layer === undefined) assertForeign(listed, {});
  else assertForeign(listed, layer.descriptor.annotations ?? {});
  if (digest !== undefined && scan.blobs.has(digest)) {
    if (entry.created_by !== undefined || layer !== undefined)
      return { kind: "blob", digest, listed };
    const hint = "add created_by, the name by which the next build finds the layer";
    throw refuse("output-json-invalid", "a new layer has no created_by", { ...locate(), hint });
  }
  if (layer !== undefined) return { kind: "kept", layer, listed };
  const hint =
    "put the blob into output/blobs/sha256, or use the digest of a layer in history.json";
  const message = `unknown digest ${digest ?? ""}: it is neither in output/blobs nor in a previous image`;
  throw refuse("layer-digest-unknown", message, { ...locate("digest"), hint });
}

/** A layer of the history, where an engine does not tell digests. */
function resolveDiffId({ previous }: Sources, listed: ListedEntry, diffId: Digest): Listing {
  const layer = previous.byDiffId.get(diffId);
  assertForeign(listed, layer?.descriptor.annotations ?? {});
  if (layer !== undefined) return { kind: "kept", layer, listed };
  const message = `unknown diff ID ${diffId}: no previous image has such a layer`;
  const hint = "use the diff_id of a layer in history.json";
  throw refuse("layer-digest-unknown", message, { ...listed.locate("diff_id"), hint });
}

/** What a layer in `output/layers` stands for, listed or not. Errors: as `resolveEntry`. */
export function resolveLoose(
  { scan, previous }: Sources,
  layer: LooseLayer,
  listed: ListedEntry | undefined,
): Listing {
  if (listed !== undefined) assertForeign(listed, {});
  if (layer.kind !== "keep") return { kind: "loose", layer, listed };
  const kept = previous.byName.get(layer.name);
  if (kept !== undefined) return { kind: "kept", layer: kept, listed };
  const hint = "look for the name in history.json, or run `layer has NAME`, before you keep it";
  const message = `no previous image has a layer named ${quoteText(layer.name)}`;
  throw refuse("layer-name-unknown", message, { file: showLayer(scan, layer), hint });
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

/** The layer's file, as the build names it. */
export function showLayer(scan: OutputScan, layer: LooseLayer): string {
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
