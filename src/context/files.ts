import type { Digest } from "../oci/oci.ts";
import { createDescriber } from "./describe.ts";
import { openSnapshot, type Snapshot } from "./snapshot.ts";

/**
 * What each path of a context is, by its path relative to the directory, in the order of the walk: kind, mode, the
 * content's digest or the link's target, and a digest of the extended attributes that a copy carries along, where there
 * are some. Bytes of a name that are no UTF-8 are lone surrogates, U+DC80 to U+DCFF. A million of them are read piece by
 * piece, each time anew.
 */
export type ContextFiles = Iterable<readonly [path: string, description: string]>;

export function listFiles(snapshot: Snapshot): ContextFiles {
  return {
    *[Symbol.iterator]() {
      const describe = createDescriber(snapshot.withOwners);
      for (const block of snapshot.blocks()) {
        for (let at = 0; at < block.count; at += 1) {
          yield [block.pathAt(at), describe(block.knownAt(at))] as const;
        }
      }
    },
  };
}

/** What was written by `ContextHash.write`; undefined where there is nothing of that digest, or it is damaged. */
export function openFiles(path: string, digest: Digest): ContextFiles | undefined {
  const snapshot = openSnapshot(path);
  if (snapshot?.digest !== digest) return undefined;
  let count = 0;
  for (const block of snapshot.blocks()) count += block.count;
  return count === snapshot.count ? listFiles(snapshot) : undefined;
}
