import { join } from "node:path";
import type { Descriptor, Digest, Image } from "../oci/model.ts";
import { exportLayout, listMissingLayers } from "../store/export.ts";
import {
  locateImage,
  narrowLocations,
  readLocations,
  writeLocations,
  type Location,
} from "../store/locations.ts";
import type { Store } from "../store/paths.ts";
import type { Run } from "../store/runs.ts";
import type { ImageReference } from "../transport/reference.ts";
import { openRegistryClient, type RegistryClient } from "../transport/registry/client.ts";
import { isPushed, LackingBlobsError, pushLayout } from "../transport/push.ts";
import { adoptLayers, fetchFrom } from "./fetch.ts";
import { createGone } from "./layers-gone.ts";
import type { BuildRequest, TransferPorts } from "./request.ts";
import { renderSize } from "./sizes.ts";

/** An image on its way to a registry. */
interface Push {
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

/**
 * Pushes an image of the store to a tag of a registry, its digest unchanged. What the registry has already
 * is not sent: layers of the same repository are found there, those of its other repositories are mounted
 * from them. Only where it declines that, or another registry has them, layers that are not here are fetched.
 * The tag comes last: until then it is what it was. Errors: `layer-gone`, `registry-*`.
 */
export async function pushImage(
  store: Store,
  run: Run,
  request: Pick<BuildRequest, "access">,
  ports: TransferPorts,
  image: Image,
  destination: ImageReference,
  isChecked = false,
): Promise<void> {
  const { repository } = destination;
  if (repository === undefined) return;
  const done = ports.reporter.step(`Pushing to ${destination.text.slice("docker://".length)}`);
  const push: Push = { store, run, request, ports, image, destination, repository, isChecked };
  const { access } = request;
  const options = { access, signal: ports.signal };
  const isThere = (await isPushed(destination, image.digest, options)) && (await isWhole(push));
  done(isThere ? "it is there already" : await transfer(push));
  const known = await readLocations(store, image.digest);
  const here = locateImage(image, repository);
  const others = known.filter((one) => one.repository !== repository);
  await writeLocations(store, image.digest, narrowLocations([here, ...others], image));
}

/** A tag may stand for an image of which the registry has lost a layer: then it is pushed once more. */
async function isWhole({ image, repository, request, ports, isChecked }: Push): Promise<boolean> {
  if (isChecked) return true;
  const client = openRegistryClient(request.access, ports.signal);
  try {
    const ask = listLayers(image).map(({ digest }) => client.hasBlob(repository, digest));
    return !(await Promise.all(ask)).includes(false);
  } finally {
    client.close();
  }
}

/** @returns what was moved, in words */
async function transfer(push: Push): Promise<string> {
  const { store, run, image, destination } = push;
  const known = await askRegistry(push);
  const layers = listLayers(image);
  const rest = layers.filter((layer) => !known.has(layer.digest));
  const directory = join(
    run.directory,
    `push-${destination.text.replaceAll(/[^A-Za-z0-9.-]/g, "_")}`,
  );
  const source = `oci:${directory}:localhost/xbuild:latest`;
  await exportLayout(store, image, directory, "localhost/xbuild:latest", { partial: true });
  try {
    await send(push, source, rest);
  } catch (error) {
    if (!(error instanceof LackingBlobsError)) throw error;
    // The registry did not say beforehand that it has this layer no more, or could not be asked.
    await bringLayers(
      push,
      layers.filter((layer) => error.digests.includes(layer.digest)),
    );
    await exportLayout(store, image, directory, "localhost/xbuild:latest", { partial: true });
    await send(push, source, rest);
  }
  const there = layers.length - rest.length;
  const sent = `${rest.length} of ${layers.length} layers (${renderSize(sumSizes(rest))})`;
  return there === 0 ? sent : `${sent}, ${there} there already`;
}

async function send(push: Push, source: string, rest: readonly Descriptor[]): Promise<void> {
  const { request, ports, destination } = push;
  const total = sumSizes(rest);
  const onBytes = (bytes: number): void =>
    ports.reporter.progress(`${renderSize(Math.min(bytes, total))} of ${renderSize(total)}`);
  await pushLayout(source, destination, { access: request.access, signal: ports.signal, onBytes });
}

/** An image may have a layer several times. */
function listLayers(image: Image): readonly Descriptor[] {
  return [...new Map(image.manifest.layers.map((one) => [one.digest, one])).values()];
}

function sumSizes(layers: readonly Descriptor[]): number {
  return layers.reduce((sum, layer) => sum + layer.size, 0);
}

/**
 * Sees to it that the registry has, or we have, every layer: asks after those that are not here, mounts what
 * it has in other repositories, and fetches the rest. @returns those that the registry has
 */
async function askRegistry(push: Push): Promise<ReadonlySet<Digest>> {
  const { store, image, request, ports } = push;
  const missing = await listMissingLayers(store, image);
  const absent = new Set(missing.map((layer) => layer.digest));
  const locations = await readLocations(store, image.digest);
  const layers = listLayers(image);
  const client = openRegistryClient(request.access, ports.signal);
  try {
    const ask = (layer: Descriptor): Promise<boolean> =>
      findLayer(push, layer, locations, absent.has(layer.digest), client);
    const found = await Promise.all(layers.map(ask));
    const known = new Set(
      layers.flatMap((layer, at) => (found[at] === true ? [layer.digest] : [])),
    );
    const needed = missing.filter((layer) => !known.has(layer.digest));
    if (needed.length > 0) await bringLayers(push, needed);
    return known;
  } finally {
    client.close();
  }
}

/** Whether the repository has a layer, or has it now. What cannot be found out counts as what was known. */
async function findLayer(
  { repository, isChecked }: Push,
  layer: Descriptor,
  locations: readonly Location[],
  isAbsent: boolean,
  client: RegistryClient,
): Promise<boolean> {
  const holders = locations.filter((one) => one.layers.includes(layer.digest));
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
async function bringLayers(push: Push, layers: readonly Descriptor[]): Promise<void> {
  const { store, image, run, request, ports, repository } = push;
  const locations = await readLocations(store, image.digest);
  const others = locations.filter((one) => one.repository !== repository);
  const isElsewhere = (layer: Descriptor): boolean =>
    others.some((one) => one.layers.includes(layer.digest));
  const gone = layers.filter((layer) => !isElsewhere(layer));
  if (gone.length > 0) throw createGone(gone, locations);
  const files = await fetchFrom(others, layers, request, ports, run);
  await adoptLayers(run, image, files);
}
