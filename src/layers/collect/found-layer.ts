import {
  compressionOf,
  ociLayerType,
  toOciMediaType,
  type Descriptor,
  type Digest,
  type HistoryEntry,
} from "../../oci/oci.ts";
import { pickHistory, type Listing } from "./listing.ts";
import type { CollectedEntry, CollectedLayer, LargePath } from "../model.ts";
import type { PreviousLayer } from "./previous.ts";
import type { ListedEntry } from "../directory/documents.ts";
import type { OutputEntry } from "../directory/schema.ts";
import { refuse, type Compression } from "../../archive/archive.ts";
import type { StagedBlob } from "../../store/store.ts";

/** What a listed layer proved to be. */
export type FoundLayer =
  | { readonly kind: "kept"; readonly layer: PreviousLayer }
  | {
      readonly kind: "equal";
      readonly layer: PreviousLayer;
      readonly blob?: StagedBlob;
      readonly largest?: readonly LargePath[];
    }
  | {
      readonly kind: "new";
      readonly descriptor: Descriptor;
      readonly diffId: Digest;
      readonly blob: StagedBlob;
      readonly largest?: readonly LargePath[];
    };

/** The media type of a layer that is compressed so. image-spec v1.1, media-types.md. */
export const layerTypes: Readonly<Record<Compression, string>> = {
  none: ociLayerType,
  gzip: `${ociLayerType}+gzip`,
  zstd: `${ociLayerType}+zstd`,
};

/** The layer's name: what the build says, else that of the file or of the layer that is kept. */
export function nameLayer(listing: Listing): string {
  if (listing.kind === "empty") return "";
  const said = listing.listed?.entry.created_by;
  if (said !== undefined) return said;
  return listing.kind === "blob" ? "" : listing.layer.name;
}

/**
 * The entry of the image for what was listed and what was found. Errors: `layer-diff-id-mismatch`,
 * `layer-size-mismatch`, `layer-media-type-mismatch` where the build says something untrue.
 */
export function describeEntry(listing: Listing, found: FoundLayer | undefined): CollectedEntry {
  if (listing.kind === "empty") return { kind: "empty", history: listing.history };
  if (found === undefined) throw new Error("a listed layer was not collected");
  const layer = describeLayer(found, nameLayer(listing), listing.listed?.entry);
  if (listing.listed !== undefined) assertClaims(listing.listed, layer);
  return { kind: "layer", layer };
}

/** @param said what is said of it beside its name: the history entry and the annotations are made of that, too */
export function describeLayer(
  found: FoundLayer,
  name: string,
  said: OutputEntry | undefined,
): CollectedLayer {
  const known = found.kind === "new" ? found : found.layer;
  const descriptor = annotate(known.descriptor, said);
  return {
    name: name === "" && found.kind !== "new" ? found.layer.name : name,
    status: found.kind,
    descriptor: found.kind === "new" ? withType(descriptor, said?.mediaType) : descriptor,
    diffId: known.diffId,
    history: describeHistory(found, name, said),
    ...(found.kind === "kept" || found.blob === undefined ? {} : { blob: found.blob }),
    ...(found.kind === "kept" || found.largest === undefined ? {} : { largest: found.largest }),
  };
}

/** A layer keeps its own annotations; the build may add to them. */
function annotate(descriptor: Descriptor, said: OutputEntry | undefined): Descriptor {
  const annotations = { ...descriptor.annotations, ...said?.annotations };
  return Object.keys(annotations).length === 0 ? descriptor : { ...descriptor, annotations };
}

/** Another type of the same bytes, such as that of a layer which may not be distributed. */
function withType(descriptor: Descriptor, type: string | undefined): Descriptor {
  if (type === undefined || compressionOf(type) !== compressionOf(descriptor.mediaType))
    return descriptor;
  return { ...descriptor, mediaType: toOciMediaType(type) };
}

function describeHistory(
  found: FoundLayer,
  name: string,
  said: OutputEntry | undefined,
): HistoryEntry {
  const claimed = said === undefined ? {} : pickHistory(said);
  if (found.kind === "new") return { created_by: name, ...claimed };
  const { entry } = found.layer;
  const created = claimed.created ?? entry.created;
  const times = created === undefined ? {} : { created };
  // Without a word from the build a kept layer keeps its whole entry; one that it wrote has its own.
  if (said === undefined && found.kind === "kept") return { ...entry, ...times };
  return { ...(name === "" ? entry : { created_by: name }), ...claimed, ...times };
}

function assertClaims(
  { entry, locate }: ListedEntry,
  { descriptor, diffId }: CollectedLayer,
): void {
  const hint = "remove it, or correct it";
  if (entry.diff_id !== undefined && entry.diff_id !== diffId) {
    const message = `this is not the layer's diff_id, which is ${diffId}`;
    throw refuse("layer-diff-id-mismatch", message, { ...locate("diff_id"), hint });
  }
  if (entry.size !== undefined && entry.size !== descriptor.size) {
    const message = `this is not the size of the layer's blob, which is ${descriptor.size} bytes`;
    throw refuse("layer-size-mismatch", message, { ...locate("size"), hint });
  }
  if (entry.mediaType === undefined || toOciMediaType(entry.mediaType) === descriptor.mediaType)
    return;
  const message = `this is not the layer's media type, which is ${descriptor.mediaType}`;
  throw refuse("layer-media-type-mismatch", message, { ...locate("mediaType"), hint });
}
