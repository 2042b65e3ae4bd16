import { listNames } from "../delivery/delivery.ts";
import type { Image } from "../oci/oci.ts";
import type { BuildRecord } from "../store/store.ts";
import type { Build } from "./workspace.ts";

/**
 * What is written down of a build, so that the next one finds its image: under the key that can be known before other
 * stages are built, and under the one that says what came of them. None where nobody knows what it was made of.
 */
export function describeRecords(
  { request, inputs: { key, exactKey, parts } }: Build,
  image: Image,
): readonly BuildRecord[] {
  const names = listNames(request.delivery);
  const keys = new Set([key, exactKey]);
  return [...keys].flatMap((one) =>
    one === undefined ? [] : [{ key: one, manifest: image.digest, names, details: parts }],
  );
}
