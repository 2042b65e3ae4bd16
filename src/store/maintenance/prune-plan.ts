import { stat } from "node:fs/promises";
import { XbuildError } from "../../errors.ts";
import type { Digest, Image } from "../../oci/oci.ts";
import { ifPresent } from "../../system/errno.ts";
import { sumSizes } from "../../units.ts";
import { readImage } from "../images/images.ts";
import { blobPath, type Store } from "../layout/paths.ts";
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

export interface PruneOptions {
  /**
   * Milliseconds since 1970. What no tag needs and was last used before then goes; with `matches`, only
   * names of images that were last used before then go.
   */
  readonly usedBefore?: number;
  /** Bytes: of what no tag needs, the longest unused goes until the store is no larger. */
  readonly maxSize?: number;
  /** The names that are to be forgotten. Without it, no name is. */
  readonly matches?: (name: string) => boolean;
  /** Finds out and changes nothing. */
  readonly dryRun?: boolean;
}

export interface PruneResult {
  readonly names: readonly string[];
  readonly blobs: readonly BlobFile[];
  /** Bytes that went, and that stay. */
  readonly freed: number;
  readonly kept: number;
}

export interface PrunePlan {
  readonly result: PruneResult;
  /** Records and refs of images that go. */
  readonly pointers: readonly Pointer[];
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
  const needed = new Set(staying.flatMap((entry) => listNeeded(store, entry)));
  for (const digest of await listHeld(store)) needed.add(digest);
  for (const digest of listKept(candidates, { needed, blobs }, options)) needed.add(digest);
  const going = blobs.filter((blob) => !needed.has(blob.digest));
  const freed = sumSizes(going);
  return {
    result: {
      names: names.flatMap(({ name }) => name ?? []),
      blobs: going,
      freed,
      kept: sumSizes(blobs) - freed,
    },
    pointers: pointers.filter((pointer) => !needed.has(pointer.manifest)),
  };
}

interface Candidate {
  readonly image: Image;
  readonly usedAt: number;
  /** Whether it is the last build of a stage, which the next build wants to keep layers from. */
  readonly isCurrent: boolean;
}

type Candidates = ReadonlyMap<Digest, Candidate>;

/** The images that records and refs lead to, with the time of their last use. */
async function listCandidates(store: Store, pointers: readonly Pointer[]): Promise<Candidates> {
  const candidates = new Map<Digest, Candidate>();
  for (const { kind, manifest, usedAt } of pointers) {
    const known = candidates.get(manifest);
    const image = known?.image ?? (await readImage(store, manifest));
    const status = await ifPresent(stat(blobPath(store, manifest)));
    if (image === undefined || status === undefined) continue;
    candidates.set(manifest, {
      image,
      usedAt: Math.max(usedAt, status.mtimeMs, known?.usedAt ?? 0),
      isCurrent: kind === "refs" || known?.isCurrent === true,
    });
  }
  return candidates;
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

/** Of an image that cannot be read nobody knows the layers, and they must not go. */
function listNeeded(store: Store, named: NamedEntry): readonly Digest[] {
  const { name, entry } = named;
  const all = [...named.images, ...named.attestations];
  const needed = all.flatMap((image) => (image === undefined ? [] : listImageDigests(image)));
  const isWhole = named.images.length > 0 && !named.images.includes(undefined);
  if (isWhole) return [entry.digest, ...needed];
  const message = `the image ${name ?? entry.digest} of the store ${store.directory} is incomplete`;
  const hint =
    "run xbuild cache verify --repair first: until then it is unknown which layers it needs";
  throw new XbuildError("store-damaged", message, { hint });
}

interface Blobs {
  /** Those that stay in any case. */
  readonly needed: ReadonlySet<Digest>;
  readonly blobs: readonly BlobFile[];
}

/** What stays of the images that no name needs: the last used first. */
function listKept(
  candidates: Candidates,
  { needed, blobs }: Blobs,
  { usedBefore, maxSize }: PruneOptions,
): ReadonlySet<Digest> {
  const kept = new Set<Digest>();
  const sizes = new Map(blobs.map((blob) => [blob.digest, blob.size]));
  const sizeOf = (digests: Iterable<Digest>): number =>
    [...digests].reduce((sum, digest) => sum + (sizes.get(digest) ?? 0), 0);
  let size = sizeOf(needed);
  const isUnlimited = usedBefore === undefined && maxSize === undefined;
  const ordered = [...candidates.values()].sort((a, b) => b.usedAt - a.usedAt);
  for (const { image, usedAt, isCurrent } of ordered) {
    const added = listImageDigests(image).filter((one) => !needed.has(one) && !kept.has(one));
    const larger = size + sizeOf(new Set(added));
    if (isUnlimited && !isCurrent) continue;
    if (usedBefore !== undefined && usedAt < usedBefore) continue;
    if (maxSize !== undefined && larger > maxSize) continue;
    size = larger;
    for (const digest of added) kept.add(digest);
  }
  return kept;
}
