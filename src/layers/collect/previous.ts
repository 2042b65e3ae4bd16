import {
  digestHex,
  listHistory,
  ownAnnotationPrefix,
  readCanonical,
  readFingerprint,
  type Descriptor,
  type Digest,
  type HistoryEntry,
} from "../../oci/oci.ts";
import type { PreviousImage, PreviousImages } from "../model.ts";

/** A layer of a previous image. */
export interface PreviousLayer {
  readonly name: string;
  readonly entry: HistoryEntry;
  /** OCI media type; without annotations of ours where the image is not trusted. */
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  /** Of its canonical archive, where another tool has written it. */
  readonly canonical: Digest | undefined;
  /** Of its content; undefined where none is known that may be believed. */
  readonly fingerprint: string | undefined;
}

/** An entry of a previous image's history; empty ones have no layer. */
export interface PreviousEntry {
  readonly entry: HistoryEntry;
  readonly layer: PreviousLayer | undefined;
}

export interface PreviousLayers {
  readonly byDigest: ReadonlyMap<Digest, PreviousLayer>;
  readonly byDiffId: ReadonlyMap<Digest, PreviousLayer>;
  readonly byFingerprint: ReadonlyMap<string, PreviousLayer>;
  /** The last of that name, the first image's before the others'. */
  readonly byName: ReadonlyMap<string, PreviousLayer>;
  /** Those of each image, the lowest first. */
  readonly images: readonly (readonly PreviousLayer[])[];
}

/** The entries of one previous image that a build is offered, in order. */
export function listPreviousEntries(previous: PreviousImage): readonly PreviousEntry[] {
  const { withheld } = previous;
  const offered = listHistory(previous.image).filter(
    ({ layer }) => layer === undefined || !withheld.has(layer.descriptor.digest),
  );
  return offered.map(({ entry, layer }) => {
    if (layer === undefined) return { entry, layer: undefined };
    const descriptor = previous.trusted ? layer.descriptor : withoutOwn(layer.descriptor);
    const { diffId } = layer;
    const name = nameEntry(entry, diffId);
    return {
      entry,
      layer: {
        name,
        entry,
        descriptor,
        diffId,
        canonical: readCanonical(descriptor.annotations),
        fingerprint: readFingerprint(descriptor),
      },
    };
  });
}

/** All layers that a build may keep. Where two would fit, the one that a build finds by its name wins. */
export function indexPrevious(previous: PreviousImages): PreviousLayers {
  const images = previous.map((image) =>
    listPreviousEntries(image).flatMap(({ layer }) => (layer === undefined ? [] : [layer])),
  );
  const layers = images.toReversed().flat();
  return {
    images,
    byDigest: new Map(layers.map((layer) => [layer.descriptor.digest, layer])),
    byDiffId: new Map([
      ...layers.map((layer) => [layer.canonical ?? layer.diffId, layer] as const),
      ...layers.map((layer) => [layer.diffId, layer] as const),
    ]),
    byFingerprint: new Map(
      layers.flatMap((layer): [string, PreviousLayer][] =>
        layer.fingerprint === undefined ? [] : [[layer.fingerprint, layer]],
      ),
    ),
    byName: new Map(layers.map((layer) => [layer.name, layer])),
  };
}

/** Whoever else wrote one may have lied, and keeping it would make it ours. */
function withoutOwn(descriptor: Descriptor): Descriptor {
  const { annotations, ...rest } = descriptor;
  if (annotations === undefined) return descriptor;
  const kept = Object.entries(annotations).filter(([key]) => !key.startsWith(ownAnnotationPrefix));
  return kept.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(kept) };
}

/** A layer without a name gets one by its content, so that it is found again. */
function nameEntry(entry: HistoryEntry, diffId: Digest): string {
  if (entry.created_by !== undefined && entry.created_by !== "") return entry.created_by;
  return `layer-${digestHex(diffId).slice(0, 12)}`;
}
