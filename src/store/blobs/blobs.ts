import { rm, stat } from "node:fs/promises";
import type { Descriptor, Digest, Image } from "../../oci/oci.ts";
import { ifPresent } from "../../system/errno.ts";
import { blobPath, type Store } from "../layout/paths.ts";

/** A blob that is asked for: with a size in bytes, the file must have as many. */
export type WantedBlob = Pick<Descriptor, "digest"> & Partial<Pick<Descriptor, "size">>;

/** The file of a blob, which nobody may write to; undefined where its bytes are not here. */
export async function findBlob(
  store: Store,
  { digest, size }: WantedBlob,
): Promise<string | undefined> {
  const path = blobPath(store, digest);
  const status = await ifPresent(stat(path));
  if (status === undefined || (size !== undefined && status.size !== size)) return undefined;
  return path;
}

/** The layers of an image whose bytes are not here (they are known to be in a registry). */
export async function listMissingLayers(
  store: Store,
  { manifest: { layers } }: Image,
): Promise<readonly Descriptor[]> {
  const paths = await Promise.all(layers.map((layer) => findBlob(store, layer)));
  return layers.filter((_, index) => paths[index] === undefined);
}

/** Gives up a blob that is not what its digest says any more: it counts as missing then. Idempotent. */
export async function dropBlob(store: Store, digest: Digest): Promise<void> {
  await rm(blobPath(store, digest), { force: true });
}
