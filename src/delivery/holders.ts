import type { Digest, Location } from "../oci/oci.ts";

/** The locations that have a layer, in their order. */
export type FindHolders = (digest: Digest) => readonly Location[];

/** Looks through the locations once: an image may have tens of thousands of layers, and each is asked for. */
export function indexHolders(locations: readonly Location[]): FindHolders {
  const holders = new Map<Digest, Location[]>();
  for (const location of locations) {
    for (const digest of new Set(location.layers)) {
      const known = holders.get(digest);
      if (known === undefined) holders.set(digest, [location]);
      else known.push(location);
    }
  }
  return (digest) => holders.get(digest) ?? [];
}
