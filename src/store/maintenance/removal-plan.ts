import { XbuildError } from "../../errors.ts";
import type { Digest } from "../../oci/oci.ts";
import { sumSizes } from "../../units.ts";
import type { Store } from "../layout/paths.ts";
import {
  type Candidates,
  listCandidates,
  listForgotten,
  listNeeded,
  listOwners,
  readRefKey,
} from "./candidates.ts";
import { listOldStates } from "./prune-caches.ts";
import { listNames, listOwnDigests, type PrunePlan } from "./prune-plan.ts";
import {
  listBlobs,
  listHeld,
  listImageDigests,
  listPointers,
  type NamedEntry,
  type Pointer,
} from "./usage.ts";

/** Why an image is still here when a name of it is gone. */
export type StayReason =
  | { readonly kind: "named"; readonly name: string }
  /** It is the last build of what has this name, of this file, or of this context. */
  | { readonly kind: "last-build"; readonly of: string }
  | { readonly kind: "running" }
  /** The manifest of an image of the store is not whole: until it is repaired nobody knows whose layers are whose. */
  | { readonly kind: "damaged" };

export interface StayingImage {
  readonly digest: Digest;
  readonly reason: StayReason;
}

export interface RemovalPlan extends PrunePlan {
  readonly staying: readonly StayingImage[];
}

/** What goes with these names, and what stays; undefined where an image of the store is not whole. */
export async function planRemoval(
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
  const dropped = listDropped(pointers, removed, listNames(others));
  const refs = pointers.filter((one) => one.kind === "refs" && !dropped.includes(one));
  const going = new Set([...removed.flatMap(listRoots), ...dropped.map((one) => one.manifest)]);
  const reasons = findReasons(going, { others, refs, held: new Set(held) });
  for (const digest of reasons.keys()) going.delete(digest);
  const candidates = await listCandidates(store, pointers);
  const shared = { candidates, going };
  const rest = listRest(store, others, shared);
  if (rest === undefined) return undefined;
  const needed = new Set([...rest, ...held]);
  const lost = pointers.filter((one) => going.has(one.manifest));
  const parts = listGoingParts(removed, shared);
  const old = blobs.filter(({ digest }) => parts.has(digest) && !needed.has(digest));
  const files = await listOldStates(store, lost);
  const freed = sumSizes([...old, ...lost, ...files]);
  const kept = sumSizes(blobs) - sumSizes(old);
  return {
    result: { names, images: [...going].sort(), blobs: old, freed, kept },
    pointers: lost,
    files,
    staying: [...reasons].map(([digest, reason]) => ({ digest, reason })),
  };
}

/** What a name stands for: an index and its images, or one image. */
function listRoots(named: NamedEntry): readonly Digest[] {
  return [named.entry.digest, ...listOwnDigests(named)];
}

/** Last builds of what had one of the names, or of the same images, and has no name now. */
function listDropped(
  pointers: readonly Pointer[],
  removed: readonly NamedEntry[],
  others: ReadonlySet<string>,
): readonly Pointer[] {
  const forgotten = new Set(listForgotten(pointers, others));
  const names = new Set(removed.map(({ name }) => name));
  const images = new Set(removed.flatMap(listRoots));
  return listOwners(pointers).flatMap(({ ref, owners }) => {
    const isMeant = images.has(ref.manifest) || owners.some((one) => names.has(one));
    return forgotten.has(ref) && isMeant ? [ref] : [];
  });
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
      reasons.set(digest, { kind: "last-build", of: readRefKey(ref.key).of });
    }
  }
  return reasons;
}

interface Images {
  /** What records and refs lead to. */
  readonly candidates: Candidates;
  readonly going: ReadonlySet<Digest>;
}

/** What images have that do not go, with a name or without one. */
function listRest(
  store: Store,
  others: readonly NamedEntry[],
  { candidates, going }: Images,
): ReadonlySet<Digest> | undefined {
  try {
    const unnamed = [...candidates.values()].filter(({ image }) => !going.has(image.digest));
    const needed = others.flatMap((entry) => listNeeded(store, entry));
    return new Set([...needed, ...unnamed.flatMap(({ image }) => listImageDigests(image))]);
  } catch (error) {
    if (error instanceof XbuildError && error.code === "store-damaged") return undefined;
    throw error;
  }
}

function listGoingParts(
  removed: readonly NamedEntry[],
  { candidates, going }: Images,
): ReadonlySet<Digest> {
  const named = removed.flatMap(({ images, attestations }) => [...images, ...attestations]);
  const images = [...named, ...[...candidates.values()].map(({ image }) => image)];
  const attached = new Set(removed.flatMap((one) => one.attestations));
  const parts = images.flatMap((image) =>
    image !== undefined && (going.has(image.digest) || attached.has(image))
      ? listImageDigests(image)
      : [],
  );
  return new Set([...going, ...parts]);
}
