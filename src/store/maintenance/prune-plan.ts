import type { Digest } from "../../oci/oci.ts";
import { sumSizes } from "../../units.ts";
import type { Store } from "../layout/paths.ts";
import {
  type Candidate,
  type Candidates,
  listCandidates,
  listCurrent,
  listNeeded,
} from "./candidates.ts";
import { listOldCaches, listOldStates, type OldFile, type PruneLimits } from "./prune-caches.ts";
import {
  listBlobs,
  listEntries,
  listHeld,
  listImageDigests,
  listPointers,
  type BlobFile,
  type NamedEntry,
  type Pointer,
} from "./usage.ts";

/** With `matches`, `usedBefore` holds for names, too: only those of images that were last used before then go. */
export interface PruneOptions extends PruneLimits {
  /** The names that are to be forgotten. Without it, no name is. */
  readonly matches?: (name: string) => boolean;
  /** Finds out and changes nothing. */
  readonly dryRun?: boolean;
}

export interface PruneResult {
  readonly names: readonly string[];
  /** The images that go, by the digests of their manifests. */
  readonly images: readonly Digest[];
  readonly blobs: readonly BlobFile[];
  /** Bytes that went: blobs, records, states and what only saves time. */
  readonly freed: number;
  /** Bytes of the blobs that stay. */
  readonly kept: number;
}

export interface PrunePlan {
  readonly result: PruneResult;
  /** Records and refs of images that go. */
  readonly pointers: readonly Pointer[];
  /** What builds left for the next ones of stages that are no more, and what only saves time. */
  readonly files: readonly OldFile[];
}

/** What goes and what stays, at this moment: to be asked under the lock. */
export async function planPrune(store: Store, options: PruneOptions): Promise<PrunePlan> {
  const [entries, pointers, blobs] = await Promise.all([
    listEntries(store),
    listPointers(store),
    listBlobs(store),
  ]);
  const candidates = await listCandidates(store, pointers);
  const names = entries.filter((entry) => isUnwanted(entry, candidates, options));
  const staying = entries.filter((entry) => !names.includes(entry));
  const current = listCurrent(pointers, listNames(staying));
  const needed = new Set(staying.flatMap((entry) => listNeeded(store, entry)));
  for (const digest of await listHeld(store)) needed.add(digest);
  for (const digest of listKept(candidates, { needed, blobs, current }, options))
    needed.add(digest);
  const going = blobs.filter((blob) => !needed.has(blob.digest));
  const lost = pointers.filter((pointer) => !needed.has(pointer.manifest));
  const files = [...(await listOldStates(store, lost)), ...(await listOldCaches(store, options))];
  const images = [...candidates.keys(), ...names.flatMap(listOwnDigests)];
  const size = sumSizes(going);
  return {
    result: {
      names: names.flatMap(({ name }) => name ?? []),
      images: [...new Set(images)].filter((digest) => !needed.has(digest)).sort(),
      blobs: going,
      freed: size + sumSizes(lost) + sumSizes(files),
      kept: sumSizes(blobs) - size,
    },
    pointers: lost,
    files,
  };
}

export function listNames(entries: readonly NamedEntry[]): ReadonlySet<string> {
  return new Set(entries.flatMap(({ name }) => name ?? []));
}

/** Of the images that a name stands for. */
export function listOwnDigests({ images }: NamedEntry): readonly Digest[] {
  return images.flatMap((image) => (image === undefined ? [] : [image.digest]));
}

function isUnwanted(
  { name, images, builtAt }: NamedEntry,
  candidates: Candidates,
  { matches, usedBefore }: PruneOptions,
): boolean {
  if (name === undefined || matches?.(name) !== true) return false;
  const uses = images.map((image) => candidates.get(image?.digest ?? "sha256:")?.usedAt ?? 0);
  const usedAt = Math.max(builtAt, ...uses);
  return usedBefore === undefined || usedAt < usedBefore;
}

interface Blobs {
  /** Those that stay in any case. */
  readonly needed: ReadonlySet<Digest>;
  readonly blobs: readonly BlobFile[];
  /** Images that are the last builds of stages. */
  readonly current: ReadonlySet<Digest>;
}

/** What stays of the images that no name needs: the last used first. */
function listKept(
  candidates: Candidates,
  { needed, blobs, current }: Blobs,
  options: PruneOptions,
): ReadonlySet<Digest> {
  const kept = new Set<Digest>();
  const sizes = new Map(blobs.map((blob) => [blob.digest, blob.size]));
  const sizeOf = (digests: Iterable<Digest>): number =>
    [...digests].reduce((sum, digest) => sum + (sizes.get(digest) ?? 0), 0);
  let size = sizeOf(needed);
  const ordered = [...candidates.values()].sort((a, b) => b.usedAt - a.usedAt);
  for (const candidate of ordered) {
    if (!mayStay(candidate, current, options)) continue;
    const added = listImageDigests(candidate.image).filter(
      (one) => !needed.has(one) && !kept.has(one),
    );
    const larger = size + sizeOf(new Set(added));
    if (options.maxSize !== undefined && larger > options.maxSize) continue;
    size = larger;
    for (const digest of added) kept.add(digest);
  }
  return kept;
}

function mayStay(
  { usedAt, image }: Candidate,
  current: ReadonlySet<Digest>,
  { usedBefore, maxSize, all }: PruneOptions,
): boolean {
  if (usedBefore === undefined && maxSize === undefined)
    return current.has(image.digest) && all !== true;
  return usedBefore === undefined || usedAt >= usedBefore;
}
