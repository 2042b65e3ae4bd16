import {
  type Descriptor,
  type Digest,
  type Image,
  locateImage,
  narrowLocations,
} from "../oci/oci.ts";
import { join } from "node:path";
import { isPushed, pushLayout, type ImageReference } from "../copy/copy.ts";
import { exportLayout, readLocations, writeLocations } from "../store/store.ts";
import { renderSize } from "../units.ts";
import { bringLayers, isWhole, listLayers, readyLayers, type Push } from "./push-layers.ts";
import { createLayersGone } from "./useless-layers.ts";
import type { RunWorkspace } from "./workspace.ts";

/** Where an image is pushed to. */
export interface PushRequest {
  readonly destination: ImageReference;
  /** Whether what is not here was found in its registry a moment ago. */
  readonly isChecked?: boolean;
}

/**
 * Pushes an image of the store to a tag of a registry, its digest unchanged. What the registry has already
 * is not sent: layers of the same repository are found there, those of its other repositories are mounted
 * from them. Only where it declines that, or another registry has them, layers that are not here are fetched.
 * The tag comes last: until then it is what it was. Errors: `layer-gone`, `registry-*`.
 */
export async function pushImage(
  image: Image,
  { destination, isChecked = false }: PushRequest,
  work: RunWorkspace,
): Promise<void> {
  const { repository } = destination;
  if (repository === undefined) return;
  const { store, registries, reporter, signal } = work;
  const done = reporter.step(`Pushing to ${destination.name}`);
  const push: Push = { image, destination, repository, isChecked };
  const options = { access: registries, signal };
  const isThere =
    (await isPushed(destination, image.digest, options)) && (await isWhole(push, work));
  done(isThere ? "it is there already" : await transfer(push, work));
  const known = await readLocations(store, image.digest);
  const here = locateImage(image, repository);
  const others = known.filter((one) => one.repository !== repository);
  await writeLocations(store, image.digest, narrowLocations([here, ...others], image));
}

/** @returns what was moved, in words */
async function transfer(push: Push, work: RunWorkspace): Promise<string> {
  const known = await readyLayers(push, work);
  const layers = listLayers(push.image);
  const rest = layers.filter((layer) => !known.has(layer.digest));
  // The registry did not say beforehand that it has this layer no more, or could not be asked.
  const lacking = new Set(await send(push, rest, work));
  if (lacking.size > 0) {
    const brought = layers.filter((layer) => lacking.has(layer.digest));
    await bringLayers(push, brought, work);
    const unavailable = (await send(push, rest, work)).map((digest) => ({ digest }));
    if (unavailable.length > 0)
      throw createLayersGone(unavailable, await readLocations(work.store, push.image.digest));
  }
  const there = layers.length - rest.length;
  const sent = `${rest.length} of ${layers.length} layers (${renderSize(sumSizes(rest))})`;
  return there === 0 ? sent : `${sent}, ${there} there already`;
}

/** Sends what is here; layers that are not are found in the registry. @returns those that neither has */
async function send(
  { image, destination }: Push,
  rest: readonly Descriptor[],
  { store, run, registries, reporter, signal }: RunWorkspace,
): Promise<readonly Digest[]> {
  const place = destination.text.replaceAll(/[^A-Za-z0-9.-]/g, "_");
  const directory = join(run.directory, `push-${place}`);
  const name = "localhost/xbuild:latest";
  await exportLayout(store, image, { directory, name, isPartial: true, isOurs: true });
  const total = sumSizes(rest);
  const onBytes = (bytes: number): void =>
    reporter.progress(`${renderSize(Math.min(bytes, total))} of ${renderSize(total)}`);
  const options = { access: registries, signal, onBytes };
  return pushLayout(`oci:${directory}:${name}`, destination, options);
}

function sumSizes(layers: readonly Descriptor[]): number {
  return layers.reduce((sum, layer) => sum + layer.size, 0);
}
