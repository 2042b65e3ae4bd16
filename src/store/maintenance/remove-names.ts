import { XbuildError } from "../../errors.ts";
import type { Digest } from "../../oci/oci.ts";
import { sumSizes } from "../../units.ts";
import { lockStore } from "../layout/access.ts";
import { explainFailures } from "../layout/failures.ts";
import { dropNames, readIndex, writeIndex } from "../layout/index-file.ts";
import { ensureLayout } from "../layout/layout.ts";
import type { Store } from "../layout/paths.ts";
import { listCandidates, listForgotten, listNeeded, listOwners } from "./candidates.ts";
import { listOldStates } from "./prune-caches.ts";
import { listNames, listOwnDigests, type PrunePlan } from "./prune-plan.ts";
import { carryOut } from "./prune.ts";
import {
  listBlobs,
  listEntries,
  listHeld,
  listImageDigests,
  listPointers,
  type NamedEntry,
  type Pointer,
} from "./usage.ts";

/** Why an image is still here when a name of it is gone. */
export type StayReason =
  | { readonly kind: "named"; readonly name: string }
  /** It is the last build of what has this name, or this context. */
  | { readonly kind: "last-build"; readonly of: string }
  | { readonly kind: "running" }
  /** The manifest of an image of the store is not whole: until it is repaired nobody knows whose layers are whose. */
  | { readonly kind: "damaged" };

export interface StayingImage {
  readonly digest: Digest;
  readonly reason: StayReason;
}

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

interface RemovalPlan extends PrunePlan {
  readonly staying: readonly StayingImage[];
}

/** undefined where an image of the store is not whole. */
async function planRemoval(
  store: Store,
  entries: readonly NamedEntry[],
  names: readonly string[],
): Promise<RemovalPlan | undefined> {
  const [pointers, blobs, held] = await Promise.all([
    listPointers(store),
    listBlobs(store),
    listHeld(store),
  ]);
  const removed = entries.filter(({ name }) => names.includes(name ?? ""));
  const others = entries.filter((entry) => !removed.includes(entry));
  const dropped = listDropped(pointers, names, listNames(others));
  const refs = pointers.filter((one) => one.kind === "refs" && !dropped.includes(one));
  const going = new Set([
    ...removed.flatMap((one) => [one.entry.digest, ...listOwnDigests(one)]),
    ...dropped.map((one) => one.manifest),
  ]);
  const reasons = findReasons(going, { others, refs, held: new Set(held) });
  for (const digest of reasons.keys()) going.delete(digest);
  const needed = await listRest(store, { others, pointers, going });
  if (needed === undefined) return undefined;
  for (const digest of held) needed.add(digest);
  const lost = pointers.filter((one) => going.has(one.manifest) || dropped.includes(one));
  const parts = await listGoingParts(store, { removed, lost, going });
  const files = await listOldStates(store, dropped);
  const old = blobs.filter(({ digest }) => parts.has(digest) && !needed.has(digest));
  const size = sumSizes(old);
  return {
    result: {
      names,
      images: [...going].sort(),
      blobs: old,
      freed: size + sumSizes(lost) + sumSizes(files),
      kept: sumSizes(blobs) - size,
    },
    pointers: lost,
    files,
    staying: [...reasons].map(([digest, reason]) => ({ digest, reason })),
  };
}

/** Last builds of what had one of the names, and has none now. */
function listDropped(
  pointers: readonly Pointer[],
  names: readonly string[],
  others: ReadonlySet<string>,
): readonly Pointer[] {
  const forgotten = new Set(listForgotten(pointers, others));
  return listOwners(pointers).flatMap(({ ref, owners }) =>
    forgotten.has(ref) && owners.some((one) => names.includes(one)) ? [ref] : [],
  );
}

interface Keepers {
  readonly others: readonly NamedEntry[];
  readonly refs: readonly Pointer[];
  readonly held: ReadonlySet<Digest>;
}

/** Of those that stay. */
function findReasons(
  going: ReadonlySet<Digest>,
  { others, refs, held }: Keepers,
): ReadonlyMap<Digest, StayReason> {
  const reasons = new Map<Digest, StayReason>();
  for (const digest of going) {
    const named = others.find(
      (one) => one.entry.digest === digest || listOwnDigests(one).includes(digest),
    );
    const ref = refs.find(({ manifest }) => manifest === digest);
    if (named?.name !== undefined) reasons.set(digest, { kind: "named", name: named.name });
    else if (held.has(digest)) reasons.set(digest, { kind: "running" });
    else if (ref !== undefined) {
      reasons.set(digest, { kind: "last-build", of: ref.key.split("\n", 1)[0] ?? "" });
    }
  }
  return reasons;
}

interface Rest {
  readonly others: readonly NamedEntry[];
  readonly pointers: readonly Pointer[];
  readonly going: ReadonlySet<Digest>;
}

/** What images have that do not go, with a name or without one. */
async function listRest(
  store: Store,
  { others, pointers, going }: Rest,
): Promise<Set<Digest> | undefined> {
  try {
    const candidates = await listCandidates(store, pointers, new Set());
    const unnamed = [...candidates.values()].filter(({ image }) => !going.has(image.digest));
    const needed = others.flatMap((entry) => listNeeded(store, entry));
    return new Set([...needed, ...unnamed.flatMap(({ image }) => listImageDigests(image))]);
  } catch (error) {
    if (error instanceof XbuildError && error.code === "store-damaged") return undefined;
    throw error;
  }
}

interface Going {
  readonly removed: readonly NamedEntry[];
  readonly lost: readonly Pointer[];
  readonly going: ReadonlySet<Digest>;
}

async function listGoingParts(
  store: Store,
  { removed, lost, going }: Going,
): Promise<ReadonlySet<Digest>> {
  const named = removed.flatMap(({ images, attestations }) => [...images, ...attestations]);
  const candidates = await listCandidates(store, lost, new Set());
  const images = [...named, ...[...candidates.values()].map(({ image }) => image)];
  const attached = new Set(removed.flatMap((one) => one.attestations));
  const parts = images.flatMap((image) =>
    image !== undefined && (going.has(image.digest) || attached.has(image))
      ? listImageDigests(image)
      : [],
  );
  return new Set([...going, ...parts]);
}

function describeDamaged(
  entries: readonly NamedEntry[],
  names: readonly string[],
): readonly StayingImage[] {
  const removed = entries.filter(({ name }) => names.includes(name ?? ""));
  return removed.map(({ entry: { digest } }) => ({ digest, reason: { kind: "damaged" } }));
}
