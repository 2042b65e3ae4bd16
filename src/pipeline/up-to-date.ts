import { keyAnnotation } from "../oci/oci.ts";
import type { Image } from "../oci/oci.ts";
import type { BuildPlan } from "../plan/plan.ts";
import { commitImage } from "../store/store.ts";
import { listMissingLayers } from "../store/store.ts";
import { findImage, readImage } from "../store/store.ts";
import { narrowLocations, readLocations } from "../store/store.ts";
import { tagImage } from "../store/store.ts";
import type { Store } from "../store/store.ts";
import { findRecord } from "../store/store.ts";
import type { Run } from "../store/store.ts";
import type { BuildInputs } from "./inputs.ts";
import type { RemoteImage } from "./remotes.ts";
import type { BuildRequest } from "./request.ts";
import { nameTarget } from "./target.ts";

/**
 * The image that a build with the same key gave, where it is still to be had as a whole: each layer is
 * here, or in a registry.
 */
export async function findUpToDate(store: Store, inputs: BuildInputs): Promise<Image | undefined> {
  if (inputs.key === undefined) return undefined;
  const record = await findRecord(store, inputs.key);
  if (record === undefined) return undefined;
  const image = await readImage(store, record.manifest);
  if (image === undefined) return undefined;
  const missing = await listMissingLayers(store, image);
  if (missing.length === 0) return image;
  const locations = await readLocations(store, image.digest);
  const known = new Set(locations.flatMap((one) => one.layers));
  return missing.every((layer) => known.has(layer.digest)) ? image : undefined;
}

/** Lets the names of this build stand for the image, where they do not yet. */
export async function keepUpToDate(
  store: Store,
  request: BuildRequest,
  image: Image,
): Promise<void> {
  const names = request.names.map((one) => one.full);
  const now = await Promise.all(names.map((name) => findImage(store, name)));
  const missing = names.filter((_, index) => now[index]?.digest !== image.digest);
  if (missing.length > 0) await tagImage(store, image, missing);
}

/**
 * The previous image that says of itself that it was made of the same inputs: what stands at the
 * destination already before any other. None where nobody is trusted.
 */
export function findAdoptable(
  remotes: readonly RemoteImage[],
  inputs: BuildInputs,
  { trustCache }: BuildRequest,
): RemoteImage | undefined {
  if (inputs.key === undefined || !inputs.isPublic || trustCache === "none") return undefined;
  const same = remotes.filter(
    ({ image }) => image.manifest.annotations?.[keyAnnotation] === inputs.key,
  );
  return same.find((one) => one.isDestination) ?? same[0];
}

/** Takes such an image into the store as if it had been built here; its layers stay where they are. */
export async function adoptImage(
  run: Run,
  request: BuildRequest,
  plan: BuildPlan,
  inputs: BuildInputs,
  remotes: readonly RemoteImage[],
  { image, files }: RemoteImage,
): Promise<void> {
  const names = request.names.map((one) => one.full);
  const { key, parts } = inputs;
  const record = { manifest: image.digest, names, details: parts };
  await commitImage(run, {
    image,
    stagedBlobs: [...files].map(([digest, path]) => ({ digest, path })),
    names,
    locations: narrowLocations(
      remotes.flatMap((one) => one.locations),
      image,
    ),
    ...(key === undefined ? {} : { record: { ...record, key } }),
    refs: [nameTarget(request, plan)],
  });
}
