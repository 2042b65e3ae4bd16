import { XbuildError } from "../../errors.ts";
import type { Digest } from "../../oci/oci.ts";
import { sumSizes } from "../../units.ts";
import type { Store } from "../layout/paths.ts";
import { listCandidates, listForgotten, listNeeded, listOwners, readRefKey } from "./candidates.ts";
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
  const rest = await listRest(store, { others, pointers, going });
  if (rest === undefined) return undefined;
  const needed = new Set([...rest, ...held]);
  const lost = pointers.filter((one) => going.has(one.manifest));
  const parts = await listGoingParts(store, { removed, lost, going });
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

interface Rest {
  readonly others: readonly NamedEntry[];
  readonly pointers: readonly Pointer[];
  readonly going: ReadonlySet<Digest>;
}

/** What images have that do not go, with a name or without one. */
async function listRest(
  store: Store,
  { others, pointers, going }: Rest,
): Promise<ReadonlySet<Digest> | undefined> {
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
