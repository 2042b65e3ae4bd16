import { sumSizes } from "../units.ts";
import type { Descriptor } from "./model.ts";

type Blob = Pick<Descriptor, "digest" | "size">;

/** Bytes of the layers that whoever has those before has to load: each blob once. */
export function sumMissing(
  layers: readonly Blob[],
  before: readonly Pick<Descriptor, "digest">[],
): number {
  const missing = new Map(layers.map(({ digest, size }) => [digest, { size }]));
  for (const { digest } of before) missing.delete(digest);
  return sumSizes([...missing.values()]);
}
