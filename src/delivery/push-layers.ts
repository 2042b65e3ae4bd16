import { isExternal } from "../oci/oci.ts";
import type { Descriptor, Digest, Image } from "../oci/oci.ts";
import { listMissingLayers } from "../store/store.ts";
import { readLocations } from "../store/store.ts";
import type { Store } from "../store/store.ts";
import type { Run } from "../store/store.ts";
import type { ImageReference } from "../copy/copy.ts";
import { withRegistryClient, type RegistryClient } from "../registry/registry.ts";
import { adoptLayers, fetchFrom, pickClaims } from "./fetch.ts";
import { indexHolders, type FindHolders } from "./holders.ts";
import { createGone } from "./layers-gone.ts";
import type { BuildRequest, TransferPorts } from "../pipeline/pipeline.ts";

/** An image on its way to a registry. */
export interface Push {
  readonly store: Store;
  readonly run: Run;
  readonly request: Pick<BuildRequest, "access">;
  readonly ports: TransferPorts;
  readonly image: Image;
  readonly destination: ImageReference;
  /** `host[:port]/repository` of the destination. */
  readonly repository: string;
  /** Whether what is not here was found in its registry a moment ago. */
  readonly isChecked: boolean;
}

/** A tag may stand for an image of which the registry has lost a layer: then it is pushed once more. */
export async function isWhole({
  image,
  repository,
  request,
  ports,
  isChecked,
}: Push): Promise<boolean> {
  if (isChecked) return true;
  const answers = await withRegistryClient(request.access, ports.signal, (client) =>
    Promise.all(
      listLayers(image)
        .filter((layer) => !isExternal(layer))
        .map(({ digest }) => client.hasBlob(repository, digest)),
    ),
  );
  return !answers.includes(false);
}

/** An image may have a layer several times. */
export function listLayers(image: Image): readonly Descriptor[] {
  return [...new Map(image.manifest.layers.map((one) => [one.digest, one])).values()];
}

/**
 * Sees to it that the registry has, or we have, every layer: asks after those that are not here, mounts what
 * it has in other repositories, and fetches the rest. A registry takes an image without the layers that are said to
 * be elsewhere (`urls`). @returns those that the registry has
 */
export async function readyLayers(push: Push): Promise<ReadonlySet<Digest>> {
  const { store, image, request, ports } = push;
  const missing = await listMissingLayers(store, image);
  const absent = new Set(missing.map((layer) => layer.digest));
  const findHolders = indexHolders(await readLocations(store, image.digest));
  const layers = listLayers(image);
  const found = await withRegistryClient(request.access, ports.signal, (client) =>
    Promise.all(
      layers.map((layer) => findLayer(push, layer, findHolders, absent.has(layer.digest), client)),
    ),
  );
  const known = new Set(layers.flatMap((layer, at) => (found[at] === true ? [layer.digest] : [])));
  const needed = missing.filter((layer) => !known.has(layer.digest) && !isExternal(layer));
  if (needed.length > 0) await bringLayers(push, needed);
  return known;
}

/** Whether the repository has a layer, or has it now. What cannot be found out counts as what was known. */
async function findLayer(
  { repository, isChecked }: Push,
  layer: Descriptor,
  findHolders: FindHolders,
  isAbsent: boolean,
  client: RegistryClient,
): Promise<boolean> {
  const holders = findHolders(layer.digest);
  if (holders.some((one) => one.repository === repository)) {
    // Where we have the bytes, skopeo asks in any case.
    if (!isAbsent || isChecked) return true;
    if ((await client.hasBlob(repository, layer.digest)) !== false) return true;
  }
  for (const { repository: from } of holders) {
    if (from === repository || hostOf(from) !== hostOf(repository)) continue;
    const request = { to: repository, from, digest: layer.digest };
    if ((await client.mountBlob(request)) === "mounted") return true;
  }
  return false;
}

function hostOf(repository: string): string {
  return repository.slice(0, repository.indexOf("/"));
}

/** Fetches layers from other repositories than the one that lacks them. Errors: `layer-gone`. */
export async function bringLayers(push: Push, layers: readonly Descriptor[]): Promise<void> {
  const { store, image, run, request, ports, repository } = push;
  const locations = await readLocations(store, image.digest);
  const others = locations.filter((one) => one.repository !== repository);
  const findHolders = indexHolders(others);
  const gone = layers.filter((layer) => findHolders(layer.digest).length === 0);
  if (gone.length > 0) throw createGone(gone, locations);
  const wanted = { locations: others, claims: pickClaims(image, layers) };
  const { files } = await fetchFrom(wanted, request, ports, run);
  await adoptLayers(run, image, files);
}
