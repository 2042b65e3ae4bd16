import type { PreviousImage, PreviousImages } from "../layers/layers.ts";
import type { Digest, Image, Location } from "../oci/oci.ts";
import { listMissingLayers, readLocations, type Store } from "../store/store.ts";
import type { BuildRunWorkspace } from "./workspace.ts";

/** An image of the store as a build may use it. */
export interface StoredPrevious extends Pick<PreviousImage, "image" | "origin"> {
  /** As the user would name it, if it has a name. */
  readonly name: string | undefined;
  /** Where layers of other previous images are. */
  readonly elsewhere?: readonly Location[];
}

/** It is held, so that a prune beside us does not take it away; none where one has done so. */
export async function describeStored(
  { name, image, origin, elsewhere = [] }: StoredPrevious,
  { store, run }: BuildRunWorkspace,
): Promise<PreviousImages> {
  if (!(await run.hold(image))) return [];
  const locations = await readLocations(store, image.digest);
  return [
    {
      reference: name === undefined ? image.digest : `${name}@${image.digest}`,
      image,
      origin,
      isDestination: false,
      trusted: true,
      withheld: await listUnavailable(image, [...locations, ...elsewhere], store),
      locations,
      files: new Map(),
    },
  ];
}

/** Layers that are neither here nor in a registry. */
async function listUnavailable(
  image: Image,
  locations: readonly Location[],
  store: Store,
): Promise<ReadonlySet<Digest>> {
  const known = new Set<Digest>(locations.flatMap((one) => one.layers));
  const missing = (await listMissingLayers(store, image)).map((layer) => layer.digest);
  return new Set(missing.filter((digest) => !known.has(digest)));
}
