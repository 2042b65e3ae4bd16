import { isPushed, type ImageReference } from "../copy/copy.ts";
import { XbuildError } from "../errors.ts";
import {
  type Descriptor,
  type Image,
  isExternal,
  locateImage,
  narrowLocations,
} from "../oci/oci.ts";
import { type RegistryTransfers, withRegistryClient, withTransfers } from "../registry/registry.ts";
import { findBlob, readLocations, writeLocations } from "../store/store.ts";
import type { Step } from "../reporter.ts";
import { describeLayers, renderSize, sumSizes } from "../units.ts";
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
  const { registries, reporter, signal } = work;
  const done = reporter.step(`Pushing to ${destination.name}`);
  const push: Push = { image, destination, repository, isChecked };
  const result = await withTransfers(registries, signal, async (transfers) => {
    const isThere =
      (await isPushed(destination, image.digest, transfers)) && (await isWhole(push, work));
    if (isThere) return "it is there already";
    return transfer(push, { ...work, transfers, progress: done.progress });
  });
  await notePushed(image, repository, work);
  done(result);
}

/** Keeps that a repository has all of the image now. */
export async function notePushed(
  image: Image,
  repository: string,
  { store }: Pick<RunWorkspace, "store">,
): Promise<void> {
  const known = await readLocations(store, image.digest);
  const here = locateImage(image, repository);
  const others = known.filter((one) => one.repository !== repository);
  await writeLocations(store, image.digest, narrowLocations([here, ...others], image));
}

interface PushWorkspace extends RunWorkspace {
  readonly transfers: RegistryTransfers;
  readonly progress: Step["progress"];
}

/** @returns what was moved, in words */
async function transfer(push: Push, work: PushWorkspace): Promise<string> {
  const known = await readyLayers(push, work);
  const layers = listLayers(push.image);
  const rest = layers.filter((layer) => !known.has(layer.digest) && !isExternal(layer));
  let outcome = await send(push, rest, work);
  if (outcome.lacking.length > 0) {
    // The registry did not say beforehand that it has this layer no more, or could not be asked.
    await bringLayers(push, outcome.lacking, work);
    outcome = await send(push, [...rest, ...outcome.lacking], work);
  }
  if (outcome.lacking.length > 0) {
    const locations = await readLocations(work.store, push.image.digest);
    throw createLayersGone(outcome.lacking, locations);
  }
  const there = layers.length - outcome.sent.length;
  const sent = `${outcome.sent.length} of ${layers.length} layers (${renderSize(sumSizes(outcome.sent))})`;
  return there === 0 ? sent : `${sent}, ${there} there already`;
}

interface Sent {
  readonly sent: readonly Descriptor[];
  /** Neither here nor there. */
  readonly lacking: readonly Descriptor[];
}

/** Sends what is here and not there; where nothing is lacking, the manifest at last, which gives the image its tag. */
async function send(
  { image, repository, destination }: Push,
  rest: readonly Descriptor[],
  work: PushWorkspace,
): Promise<Sent> {
  const { transfers } = work;
  const layers = await sendLayers(repository, rest, work);
  if (layers.lacking.length > 0) return layers;
  await sendConfig(image, repository, work);
  const { mediaType } = image.manifest;
  const manifest = { mediaType, bytes: image.manifestBytes };
  try {
    await transfers.pushManifest(repository, destination.reference, manifest);
    return layers;
  } catch (error) {
    if (!(error instanceof XbuildError)) throw error;
    const lacking = await listLacking(image, repository, work);
    if (lacking.length === 0) throw error;
    return { ...layers, lacking };
  }
}

async function sendLayers(
  repository: string,
  layers: readonly Descriptor[],
  { store, transfers, progress }: PushWorkspace,
): Promise<Sent> {
  const total = sumSizes(layers);
  let gone = 0;
  const onBytes = (bytes: number): void => {
    gone += bytes;
    progress({ bytes: gone, total });
  };
  progress({ bytes: 0, total, now: describeLayers(layers) });
  const outcomes = await Promise.all(
    layers.map(async (layer) => {
      const path = await findBlob(store, layer);
      if (path === undefined) return "lacking";
      const isSent = await transfers.pushBlob(repository, { ...layer, path, onBytes });
      return isSent ? "sent" : "there";
    }),
  );
  const pick = (wanted: string): readonly Descriptor[] =>
    layers.filter((_, index) => outcomes[index] === wanted);
  return { sent: pick("sent"), lacking: pick("lacking") };
}

/** The store has it: a run holds the image. */
async function sendConfig(
  { manifest: { config } }: Image,
  repository: string,
  { store, transfers }: PushWorkspace,
): Promise<void> {
  const path = await findBlob(store, config);
  if (path !== undefined) await transfers.pushBlob(repository, { ...config, path });
}

/** A registry refuses a manifest of which it lacks a layer. */
async function listLacking(
  image: Image,
  repository: string,
  { registries, signal }: RunWorkspace,
): Promise<readonly Descriptor[]> {
  const layers = listLayers(image).filter((layer) => !isExternal(layer));
  const answers = await withRegistryClient(registries, signal, (client) =>
    Promise.all(layers.map(({ digest }) => client.hasBlob(repository, digest))),
  );
  return layers.filter((_, index) => answers[index] === false);
}
