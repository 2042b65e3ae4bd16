import { type DeliveryRequest, listNames } from "../delivery/delivery.ts";
import type { Image } from "../oci/oci.ts";
import {
  type BuildRecord,
  findNamed,
  findRecord,
  listMissingLayers,
  readImage,
  readLocations,
  tagImage,
} from "../store/store.ts";
import type { BuildInputs } from "./resolve-inputs.ts";
import type { BuildWorkspace } from "./workspace.ts";

/**
 * The image that a build with the same key gave, where it is still to be had as a whole: each layer is
 * here, or in a registry.
 */
export async function findBuilt(
  key: BuildInputs["key"],
  work: BuildWorkspace,
): Promise<Image | undefined> {
  const record = key === undefined ? undefined : await findRecord(work.store, key);
  return record && takeRecorded(record, work);
}

/** The image of a record, likewise. */
export async function takeRecorded(
  { manifest }: BuildRecord,
  { store }: BuildWorkspace,
): Promise<Image | undefined> {
  const image = await readImage(store, manifest);
  if (image === undefined) return undefined;
  const missing = await listMissingLayers(store, image);
  if (missing.length === 0) return image;
  const locations = await readLocations(store, image.digest);
  const known = new Set(locations.flatMap((one) => one.layers));
  return missing.every((layer) => known.has(layer.digest)) ? image : undefined;
}

/** Lets the names of this build stand for the image, where they do not yet. @returns these names */
export async function keepNames(
  image: Image,
  delivery: DeliveryRequest,
  { store }: BuildWorkspace,
): Promise<readonly string[]> {
  const names = listNames(delivery);
  const now = await Promise.all(names.map((name) => findNamed(store, name)));
  const missing = names.filter((_, index) => now[index] !== image.digest);
  if (missing.length > 0) await tagImage(store, image, missing);
  return missing;
}
