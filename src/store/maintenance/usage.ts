import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  type Descriptor,
  type Digest,
  type Image,
  isAttestation,
  isDigest,
} from "../../oci/oci.ts";
import { listOwnDocuments } from "../layout/documents.ts";
import { ifPresent } from "../../system/errno.ts";
import { nameOfEntry, readIndex } from "../layout/index-file.ts";
import { readImage } from "../images/images.ts";
import { readRoot } from "../images/manifests.ts";
import { blobPath, blobsDirectory, type Store } from "../layout/paths.ts";
import { listLiveRuns } from "../runs/liveness.ts";
import { listHolds } from "../runs/run-directory.ts";

export interface BlobFile {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** One of xbuild's own documents that leads to an image. */
export interface Pointer {
  readonly kind: "records" | "refs";
  readonly key: string;
  readonly path: string;
  /** Of the document, in bytes. */
  readonly size: number;
  readonly manifest: Digest;
  /** The full names that a record's image was given. */
  readonly names: readonly string[];
  /** The key of a ref's record. */
  readonly record: string | undefined;
  /** When it was last written or used, in milliseconds since 1970. */
  readonly usedAt: number;
}

/** Every blob of the store with its size, in the order of the digests. */
export async function listBlobs(store: Store): Promise<readonly BlobFile[]> {
  const names = (await ifPresent(readdir(blobsDirectory(store)))) ?? [];
  const blobs = names.sort().map(async (name): Promise<readonly BlobFile[]> => {
    const digest = `sha256:${name}`;
    if (!isDigest(digest)) return [];
    const status = await ifPresent(stat(blobPath(store, digest)));
    return status === undefined ? [] : [{ digest, size: status.size }];
  });
  return (await Promise.all(blobs)).flat();
}

/** Every record and ref that can be read. */
export async function listPointers(store: Store): Promise<readonly Pointer[]> {
  const kinds = ["records", "refs"] as const;
  return (await Promise.all(kinds.map((kind) => listPointersOf(store, kind)))).flat();
}

async function listPointersOf(store: Store, kind: Pointer["kind"]): Promise<readonly Pointer[]> {
  return (await listOwnDocuments(store, kind)).flatMap(({ value, ...file }) => {
    const { manifest, names, record } = value;
    if (!isDigest(manifest)) return [];
    const own = Array.isArray(names) ? names.filter((one) => typeof one === "string") : [];
    const link = typeof record === "string" ? record : undefined;
    return [{ kind, ...file, manifest, names: own, record: link }];
  });
}

/** All that running builds hold: images and indexes, with what they consist of, as far as it is here already. */
export async function listHeld(store: Store): Promise<readonly Digest[]> {
  const runs = await listLiveRuns(store);
  const held = new Set((await Promise.all(runs.map(listHolds))).flat());
  const parts = await Promise.all([...held].map((digest) => listParts(store, digest)));
  return parts.flat();
}

async function listParts(store: Store, digest: Digest): Promise<readonly Digest[]> {
  const root = await readRoot(store, digest);
  if (root === undefined) return [];
  const images = await Promise.all(root.manifests.map((one) => readImage(store, one.digest)));
  const parts = images.flatMap((image) => (image === undefined ? [] : listImageDigests(image)));
  return [digest, ...parts];
}

/** What the index names: the entry, and the images of its manifests that can be read. */
export interface NamedEntry {
  readonly name: string | undefined;
  readonly entry: Descriptor;
  readonly images: readonly (Image | undefined)[];
  /** Of an index that somebody else made: what it has beside images (`isAttestation`), in the form of images. */
  readonly attestations: readonly (Image | undefined)[];
  /** When it was last built, in milliseconds since 1970; 0 where its manifest is not there. */
  readonly builtAt: number;
}

/** Every entry of the index. Errors: `store-damaged`, unless the store has `onDamage`. */
export async function listEntries(store: Store): Promise<readonly NamedEntry[]> {
  const { manifests } = await readIndex(store);
  return Promise.all(
    manifests.map(async (entry) => {
      const own = (await readRoot(store, entry.digest))?.manifests ?? [];
      const read = (some: typeof own): Promise<readonly (Image | undefined)[]> =>
        Promise.all(some.map(({ digest }) => readImage(store, digest)));
      const images = await read(own.filter((one) => !isAttestation(one)));
      const attestations = await read(own.filter(isAttestation));
      const status = await ifPresent(stat(blobPath(store, entry.digest)));
      const builtAt = status?.mtimeMs ?? 0;
      return { name: nameOfEntry(entry), entry, images, attestations, builtAt };
    }),
  );
}

/** The digests of all that an image consists of. */
export function listImageDigests({ digest, manifest }: Image): readonly Digest[] {
  return [digest, manifest.config.digest, ...manifest.layers.map((layer) => layer.digest)];
}

/** Bytes of the files in a directory, 0 where there is none. */
export async function measureTree(directory: string): Promise<number> {
  const entries = (await ifPresent(readdir(directory, { withFileTypes: true }))) ?? [];
  let size = 0;
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) size += await measureTree(path);
    else if (entry.isFile()) size += (await ifPresent(stat(path)))?.size ?? 0;
  }
  return size;
}
