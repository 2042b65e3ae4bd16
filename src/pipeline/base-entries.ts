import type { CollectedEntry, CollectedOutput } from "../layers/layers.ts";
import { type Digest, listHistory, toOciMediaType } from "../oci/oci.ts";
import type { BaseImage } from "./bases.ts";

/**
 * The image's entries: those of the bases, then those of the build. A build that copies its history lists the
 * bases' layers too: they are there already, and not taken twice.
 */
export function withBases(output: CollectedOutput, bases: readonly BaseImage[]): CollectedOutput {
  const below = bases.flatMap(listEntries);
  const digests = below.flatMap((one) =>
    one.kind === "layer" ? [one.layer.descriptor.digest] : [],
  );
  return { ...output, entries: [...below, ...withoutLeading(output.entries, digests)] };
}

function listEntries({ image }: BaseImage): readonly CollectedEntry[] {
  return listHistory(image).map(({ entry, layer }): CollectedEntry => {
    if (layer === undefined) return { kind: "empty", history: entry };
    const { descriptor, diffId } = layer;
    const own = { ...descriptor, mediaType: toOciMediaType(descriptor.mediaType) };
    const name = entry.created_by ?? "";
    return {
      kind: "layer",
      layer: { name, status: "base", descriptor: own, diffId, history: entry },
    };
  });
}

function withoutLeading(
  entries: readonly CollectedEntry[],
  digests: readonly Digest[],
): readonly CollectedEntry[] {
  const listed = entries.flatMap((one) =>
    one.kind === "layer" ? [one.layer.descriptor.digest] : [],
  );
  if (digests.length === 0 || digests.some((digest, index) => listed[index] !== digest)) {
    return entries;
  }
  let left = digests.length;
  return entries.filter((one) => {
    if (left === 0) return true;
    if (one.kind === "layer") left -= 1;
    return false;
  });
}
