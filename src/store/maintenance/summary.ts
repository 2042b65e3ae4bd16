import { join } from "node:path";
import type { Digest, Image } from "../../oci/oci.ts";
import { explainFailures } from "../layout/failures.ts";
import { readImage } from "../images/images.ts";
import { type Store, ownDocumentKinds } from "../layout/paths.ts";
import {
  listBlobs,
  listEntries,
  listImageDigests,
  listPointers,
  measureTree,
  type NamedEntry,
} from "./usage.ts";

/** An image of the store, with a name or without one. */
export interface StoredImage {
  readonly image: Image;
  readonly names: readonly string[];
  /** When it was last built or found to be up to date, in milliseconds since 1970. */
  readonly usedAt: number;
}

/** The space of a store by what it is for, in bytes. */
export interface StoreUsage {
  /** Blobs that an image with a name has. */
  readonly named: number;
  /** Blobs that only images without a name have. */
  readonly unnamed: number;
  /** Blobs that no image has. */
  readonly orphaned: number;
  /** Records, states and what else only saves time. */
  readonly caches: number;
  /** Runs, those that were killed too. */
  readonly unfinished: number;
}

/** All images that names, records and refs lead to, the last used first. */
export async function listStoredImages(store: Store): Promise<readonly StoredImage[]> {
  return explainFailures(store.directory, async () =>
    collectImages(store, await listEntries(store)),
  );
}

async function collectImages(
  store: Store,
  entries: readonly NamedEntry[],
): Promise<readonly StoredImage[]> {
  const found = new Map<Digest, StoredImage>();
  const add = (image: Image | undefined, usedAt: number, name?: string): void => {
    if (image === undefined) return;
    const known = found.get(image.digest) ?? { image, names: [], usedAt };
    const names = name === undefined ? known.names : [...known.names, name];
    found.set(image.digest, { image, names, usedAt: Math.max(known.usedAt, usedAt) });
  };
  for (const { name, images, builtAt } of entries) {
    for (const image of images) add(image, builtAt, name);
  }
  for (const { manifest, usedAt } of await listPointers(store)) {
    add(found.get(manifest)?.image ?? (await readImage(store, manifest)), usedAt);
  }
  return [...found.values()].sort((a, b) => b.usedAt - a.usedAt);
}

/** What takes the space of a store. */
export async function measureStore(store: Store): Promise<StoreUsage> {
  return explainFailures(store.directory, async () => {
    const entries = await listEntries(store);
    const images = await collectImages(store, entries);
    const rest = entries.flatMap(listOthers);
    const named = new Set([...listDigests(images.filter(isNamed)), ...rest]);
    const all = new Set([...listDigests(images), ...rest]);
    const sizes = { named: 0, unnamed: 0, orphaned: 0 };
    for (const { digest, size } of await listBlobs(store)) {
      sizes[named.has(digest) ? "named" : all.has(digest) ? "unnamed" : "orphaned"] += size;
    }
    const parts = [...ownDocumentKinds, "cache"].map((name) => join(store.directory, name));
    const caches = await Promise.all(parts.map(measureTree));
    const unfinished = await measureTree(join(store.directory, "tmp"));
    return { ...sizes, caches: caches.reduce((sum, size) => sum + size, 0), unfinished };
  });
}

function isNamed({ names }: StoredImage): boolean {
  return names.length > 0;
}

/** What an index has beside its images: itself, and what is said of them. */
function listOthers({ entry, attestations }: NamedEntry): readonly Digest[] {
  const read = attestations.flatMap((one) => (one === undefined ? [] : listImageDigests(one)));
  return [entry.digest, ...read];
}

function listDigests(images: readonly StoredImage[]): ReadonlySet<Digest> {
  return new Set(images.flatMap(({ image }) => listImageDigests(image)));
}
