import type { CollectedEntry, CollectedOutput } from "../layers/layers.ts";
import type { Digest } from "../oci/oci.ts";
import type { ArrangedBases } from "./arrange-bases.ts";

/**
 * The image's entries: those of the bases, then those of the build. A build that copies its history lists the
 * bases' layers too: they are there already, and not taken twice. Nothing else that a build lists is left out.
 */
export function withBases(output: CollectedOutput, bases: ArrangedBases): CollectedOutput {
  const entries = [...bases.entries, ...withoutLeading(output.entries, bases.lists)];
  return { ...output, entries, warnings: [...output.warnings, ...bases.warnings] };
}

/** The first of these lists that the entries begin with is theirs no more. */
function withoutLeading(
  entries: readonly CollectedEntry[],
  lists: ArrangedBases["lists"],
): readonly CollectedEntry[] {
  const listed = entries.flatMap((one) =>
    one.kind === "layer" ? [one.layer.descriptor.digest] : [],
  );
  let left = lists.find((digests) => isLeading(digests, listed))?.length ?? 0;
  return entries.filter((one) => {
    if (left === 0) return true;
    if (one.kind === "layer") left -= 1;
    return false;
  });
}

function isLeading(digests: readonly Digest[], listed: readonly Digest[]): boolean {
  return digests.length > 0 && digests.every((digest, index) => listed[index] === digest);
}
