import type { Digest } from "../../oci/oci.ts";
import { lockStore } from "../layout/access.ts";
import { explainFailures } from "../layout/failures.ts";
import { dropNames, readIndex, writeIndex } from "../layout/index-file.ts";
import { ensureLayout } from "../layout/layout.ts";
import type { Store } from "../layout/paths.ts";
import { listNames } from "./prune-plan.ts";
import { carryOut } from "./prune.ts";
import { planRemoval, type StayingImage } from "./removal-plan.ts";
import { listEntries, type NamedEntry } from "./usage.ts";

export interface RemovedNames {
  readonly names: readonly string[];
  /** Names that were not there. */
  readonly missing: readonly string[];
  /** What went with them: images and indexes, by their digests. */
  readonly images: readonly Digest[];
  readonly staying: readonly StayingImage[];
  /** Bytes: blobs that no other image has, records and states. */
  readonly freed: number;
}

/**
 * Forgets names, and removes the images that then have none, with what no other image has of them. The last build of
 * what had such a name alone goes with it. What another name, a last build or a running build needs stays, and it is said why.
 * Errors: those of writing.
 */
export async function removeNames(store: Store, given: readonly string[]): Promise<RemovedNames> {
  return explainFailures(store.directory, async () => {
    const nothing = { names: [], missing: given, images: [], staying: [], freed: 0 };
    // Without a store there is no image, and nothing to lock.
    if ((await readIndex(store)).condition === "missing") return nothing;
    await ensureLayout(store);
    return lockStore(store, async (lock) => {
      const entries = await listEntries(store);
      const known = listNames(entries);
      const names = given.filter((name) => known.has(name));
      const missing = given.filter((name) => !known.has(name));
      if (names.length === 0) return nothing;
      const plan = await planRemoval(store, entries, names);
      if (plan === undefined) {
        await writeIndex(store, dropNames((await readIndex(store)).manifests, names), lock);
        return { names, missing, images: [], staying: describeDamaged(entries, names), freed: 0 };
      }
      await carryOut(store, plan, lock);
      const { images, freed } = plan.result;
      return { names, missing, images, staying: plan.staying, freed };
    });
  });
}

function describeDamaged(
  entries: readonly NamedEntry[],
  names: readonly string[],
): readonly StayingImage[] {
  const removed = entries.filter(({ name }) => names.includes(name ?? ""));
  return removed.map(({ entry: { digest } }) => ({ digest, reason: { kind: "damaged" } }));
}
