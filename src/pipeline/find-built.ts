import { type DeliveryRequest, listNames } from "../delivery/delivery.ts";
import type { Image } from "../oci/oci.ts";
import {
  findNamed,
  findRecord,
  findRef,
  listMissingLayers,
  putRef,
  readImage,
  readLocations,
  tagImage,
} from "../store/store.ts";
import { nameTarget } from "./request.ts";
import type { BuildInputs } from "./resolve-inputs.ts";
import type { Build, BuildWorkspace } from "./workspace.ts";

/**
 * The image that a build with the same key gave, where it is still to be had as a whole: each layer is
 * here, or in a registry.
 */
export async function findBuilt(
  key: BuildInputs["key"],
  { store }: BuildWorkspace,
): Promise<Image | undefined> {
  const record = key === undefined ? undefined : await findRecord(store, key);
  const image = record === undefined ? undefined : await readImage(store, record.manifest);
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

/** An image that was found, and the key that it was found by. */
export interface FoundImage {
  readonly image: Image;
  readonly key: BuildInputs["key"];
}

/** It counts as the stage's last build: the next one begins with it, and a prune leaves it. */
export async function keepRef(
  { plan, request }: Pick<Build, "plan" | "request">,
  { image, key }: FoundImage,
  { store }: BuildWorkspace,
): Promise<void> {
  const name = nameTarget(plan.target, request);
  const before = await findRef(store, name);
  if (before?.manifest === image.digest && before.record === key) return;
  await putRef(store, {
    key: name,
    manifest: image.digest,
    ...(key === undefined ? {} : { record: key }),
  });
}
