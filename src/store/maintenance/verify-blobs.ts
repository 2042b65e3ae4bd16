import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { digestHex, isDigest } from "../../oci/oci.ts";
import type { Digest } from "../../oci/oci.ts";
import { ifPresent } from "../../system/errno.ts";
import { forEachOf } from "../layout/files.ts";
import { dropBlob } from "../blobs/blobs.ts";
import { placeBlobs, takeBlob } from "../blobs/place-blobs.ts";
import { readLocations } from "../records/locations.ts";
import type { EntriesExamination, Examination } from "./examination.ts";
import type { KnownImage, StoreFinding, VerifyOptions } from "./findings.ts";
import { blobPath, blobsDirectory, type Store } from "../layout/paths.ts";
import { listBlobs, listImageDigests, type NamedEntry } from "./usage.ts";

/** What every blob proved to be. */
export interface HashedBlobs {
  /** Those whose content has another digest. */
  readonly damaged: readonly Digest[];
  /** Of the others: the diff ID that each has as a layer, where it is one. */
  readonly diffIds: ReadonlyMap<Digest, Digest | undefined>;
}

/** Reads every blob once, with as many readers as Node has. */
export async function hashBlobs(
  store: Store,
  { hashBlob }: Pick<VerifyOptions, "hashBlob">,
): Promise<HashedBlobs> {
  const damaged: Digest[] = [];
  const diffIds = new Map<Digest, Digest | undefined>();
  await forEachOf(await listBlobs(store), async ({ digest }) => {
    const actual = await ifPresent(hashBlob(blobPath(store, digest)));
    if (actual === undefined) return;
    if (actual.digest === digest) diffIds.set(digest, actual.diffId);
    else damaged.push(digest);
  });
  return { damaged, diffIds };
}

async function hashFile(path: string): Promise<Digest> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    hash.update(chunk);
  }
  return `sha256:${hash.digest("hex")}`;
}

/** Files among the blobs that cannot be any. */
export async function examineNames(store: Store): Promise<readonly StoreFinding[]> {
  const names = await readdir(blobsDirectory(store));
  return names
    .filter((name) => !isDigest(`sha256:${name}`))
    .map((name) => ({
      code: "blob-name",
      message: "its name is not a digest",
      path: join("blobs", "sha256", name),
      names: [],
      outcome: "left",
    }));
}

/** One blob once more, and what became of it. */
export async function examineBlob(
  digest: Digest,
  examination: EntriesExamination,
): Promise<readonly StoreFinding[]> {
  const { store, entries } = examination;
  const actual = await ifPresent(hashFile(blobPath(store, digest)));
  if (actual === undefined || actual === digest) return [];
  const users = listUsers(entries, digest);
  const outcome = await repairBlob(digest, users, examination);
  const message = `its content has the digest ${actual}`;
  const names = users.map(({ name }) => name);
  return [{ code: "blob-damaged", message, path: relativeBlob(digest), names, outcome }];
}

type User = Pick<NamedEntry, "entry" | "images"> & { readonly name: string };

/** The names of images that have this blob, and of those of which it cannot be known. */
function listUsers(entries: readonly NamedEntry[], digest: Digest): readonly User[] {
  const users = entries.filter(({ entry, images, attestations }) => {
    const all = [...images, ...attestations];
    if (entry.digest === digest || images.includes(undefined) || images.length === 0) return true;
    return all.some((image) => image !== undefined && listImageDigests(image).includes(digest));
  });
  return users.flatMap(({ name, entry, images }) =>
    name === undefined ? [] : [{ name, entry, images }],
  );
}

async function repairBlob(
  digest: Digest,
  users: readonly User[],
  { store, options, repair }: Examination,
): Promise<StoreFinding["outcome"]> {
  if (repair === undefined) return "left";
  const { run, lock } = repair;
  const images = await Promise.all(users.map((user) => describeUser(user, store)));
  const path = run && (await options.fetchBlob?.({ digest, images, directory: run.staging }));
  if (run !== undefined && path !== undefined && (await hashFile(path)) === digest) {
    await placeBlobs(store, [await takeBlob(run, { digest, path })], lock);
    return "repaired";
  }
  await dropBlob(store, digest);
  return "removed";
}

async function describeUser({ name, entry, images }: User, store: Store): Promise<KnownImage> {
  const { digest } = entry;
  const digests = new Set([digest, ...images.flatMap((image) => image?.digest ?? [])]);
  const known = await Promise.all([...digests].map((one) => readLocations(store, one)));
  return { name, digest, locations: known.flat() };
}

/** A blob's file, relative to the store. */
export function relativeBlob(digest: Digest): string {
  return join("blobs", "sha256", digestHex(digest));
}
