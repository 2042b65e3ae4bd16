import {
  canonicalAnnotation,
  fingerprintAnnotation,
  fingerprintsAnnotation,
} from "./annotations.ts";
import type { Annotations, Descriptor, Manifest } from "./model.ts";

/** Bytes of a fingerprint; all zero where a layer has none. */
const size = 16;
const prefix = "v1:";
const pattern = /^v1:(?<hex>[0-9a-f]{32})$/;

/** Layers as a manifest has them, and the manifest's annotation for their fingerprints. */
export interface PackedFingerprints {
  readonly layers: readonly Descriptor[];
  readonly annotations: Annotations;
}

/**
 * Takes the layers' fingerprints together into one annotation of the manifest: an image of 96 layers has a
 * fifth less to move whenever one of them changes.
 */
export function packFingerprints(given: readonly Descriptor[]): PackedFingerprints {
  const layers = given.map((layer) => without(layer, canonicalAnnotation));
  const matches = layers.map((layer) =>
    pattern.exec(layer.annotations?.[fingerprintAnnotation] ?? ""),
  );
  if (matches.every((one) => one === null)) return { layers, annotations: {} };
  const bytes = matches.map((one) =>
    Buffer.from(one?.groups?.["hex"] ?? "".padEnd(size * 2, "0"), "hex"),
  );
  const text = prefix + Buffer.concat(bytes).toString("base64url");
  return {
    layers: layers.map((layer, index) =>
      matches[index] === null ? layer : without(layer, fingerprintAnnotation),
    ),
    annotations: { [fingerprintsAnnotation]: text },
  };
}

/** The layers of a manifest, each with its fingerprint as an annotation of its own again. */
export function unpackFingerprints({ layers, annotations }: Manifest): readonly Descriptor[] {
  const text = annotations?.[fingerprintsAnnotation] ?? "";
  if (!text.startsWith(prefix)) return layers;
  const bytes = Buffer.from(text.slice(prefix.length), "base64url");
  // Somebody else changed the layers and left the annotation.
  if (bytes.length !== layers.length * size) return layers;
  return layers.map((layer, index) => {
    const own = bytes.subarray(index * size, (index + 1) * size);
    if (own.every((byte) => byte === 0)) return layer;
    const fingerprint = { [fingerprintAnnotation]: prefix + own.toString("hex") };
    return { ...layer, annotations: { ...layer.annotations, ...fingerprint } };
  });
}

/** A manifest's annotations without the fingerprints, which hold for its own list of layers alone. */
export function dropFingerprints(annotations: Annotations = {}): Annotations {
  const { [fingerprintsAnnotation]: _, ...others } = annotations;
  return others;
}

function without(layer: Descriptor, key: string): Descriptor {
  if (layer.annotations?.[key] === undefined) return layer;
  const { annotations, ...rest } = layer;
  const { [key]: _, ...others } = annotations;
  return Object.keys(others).length === 0 ? rest : { ...rest, annotations: others };
}
