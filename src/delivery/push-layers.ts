import type { RegistryReference } from "../copy/copy.ts";
import { type Descriptor, type Digest, type Image, isExternal } from "../oci/oci.ts";
import { type RegistryClient, withRegistryClient } from "../registry/registry.ts";
import { listMissingLayers, readLocations } from "../store/store.ts";
import { adoptLayers, fetchFrom, pickClaims } from "./fetch.ts";
import { indexHolders, type FindHolders } from "./holders.ts";
import { createLayersGone } from "./useless-layers.ts";
import type { RunWorkspace } from "./workspace.ts";

/** An image on its way to a registry. */
export interface Push {
  readonly image: Image;
  readonly destination: RegistryReference;
  /** `host[:port]/repository` of the destination. */
  readonly repository: string;
  /** Whether what is not here was found in its registry a moment ago. */
  readonly isChecked: boolean;
}

/** A tag may stand for an image of which the registry has lost a layer: then it is pushed once more. */
export async function isWhole(
  { image, repository, isChecked }: Push,
  { registries, signal }: RunWorkspace,
): Promise<boolean> {
  if (isChecked) return true;
  const answers = await withRegistryClient(registries, signal, (client) =>
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
export async function readyLayers(push: Push, work: RunWorkspace): Promise<ReadonlySet<Digest>> {
  const { image } = push;
  const { store, registries, signal } = work;
  const missing = await listMissingLayers(store, image);
  const absent = new Set(missing.map((layer) => layer.digest));
  const findHolders = indexHolders(await readLocations(store, image.digest));
  const layers = listLayers(image);
  const answers = await withRegistryClient(registries, signal, (client) =>
    Promise.all(
      layers.map((layer) => {
        const isAbsent = absent.has(layer.digest);
        return findLayer(push, { layer, holders: findHolders(layer.digest), isAbsent }, client);
      }),
    ),
  );
  const known = new Set(
    layers.flatMap((layer, at) => (answers[at] === true ? [layer.digest] : [])),
  );
  const needed = missing.filter((layer) => !known.has(layer.digest) && !isExternal(layer));
  if (needed.length > 0) await bringLayers(push, needed, work);
  return known;
}

interface WantedLayer {
  readonly layer: Descriptor;
  /** Where it may be. */
  readonly holders: ReturnType<FindHolders>;
  /** Whether its bytes are not here. */
  readonly isAbsent: boolean;
}

/** Whether the repository has a layer, or has it now. What cannot be found out counts as what was known. */
async function findLayer(
  { repository, isChecked }: Push,
  { layer, holders, isAbsent }: WantedLayer,
  client: RegistryClient,
): Promise<boolean> {
  if (holders.some((one) => one.repository === repository)) {
    if (isAbsent && isChecked) return true;
    const answer = await client.hasBlob(repository, layer.digest);
    // What is here can be sent.
    if (answer === true || (isAbsent && answer === undefined)) return true;
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
export async function bringLayers(
  { image, repository }: Push,
  layers: readonly Descriptor[],
  work: RunWorkspace,
): Promise<void> {
  const locations = await readLocations(work.store, image.digest);
  const others = locations.filter((one) => one.repository !== repository);
  const findHolders = indexHolders(others);
  const unavailable = layers.filter((layer) => findHolders(layer.digest).length === 0);
  if (unavailable.length > 0) throw createLayersGone(unavailable, locations);
  const { files } = await fetchFrom({ locations: others, claims: pickClaims(image, layers) }, work);
  await adoptLayers(image, files, work);
}
