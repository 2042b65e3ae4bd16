import { rm } from "node:fs/promises";
import { assertInputUnchanged } from "../layers/layers.ts";
import { collectOutput } from "../layers/layers.ts";
import type { CollectedLayer, CollectedOutput } from "../layers/layers.ts";
import { assembleWithPrevious } from "../oci/oci.ts";
import type { Image } from "../oci/oci.ts";
import { commitImage, type StagedBlob } from "../store/store.ts";
import { listMissingLayers } from "../store/store.ts";
import { narrowLocations, type Location } from "../store/store.ts";
import { blobPath } from "../store/store.ts";
import type { BuildRecord } from "../store/store.ts";
import { hasBlob } from "../store/store.ts";
import { putTree } from "../store/store.ts";
import { tolerate } from "../system/errno.ts";
import { withBases } from "./base-entries.ts";
import { announceResult } from "./result.ts";
import { joinBases, listLayers, stageLayers } from "./stage-layers.ts";
import { countLayers } from "./bases.ts";
import type { Collection } from "./collection.ts";
import { describeImage } from "./describe-image.ts";

/** Makes an image of what the build wrote, and takes it into the store under its names. */
export async function collectImage(
  collection: Collection,
): Promise<{ readonly image: Image; readonly layers: readonly CollectedLayer[] }> {
  const { request, run, ports, inputs, found } = collection;
  const done = ports.reporter.step("Collecting layers");
  await checkInput(collection);
  const collected = withBases(await collectLayers(collection), collection.bases);
  for (const warning of collected.warnings) ports.reporter.warn(warning);
  const { output, stagedBlobs } = await stageLayers(collection, collected);
  const image = assembleWithPrevious(describeImage(collection, output), found.last);
  const locations = narrowLocations(joinBases(collection).locations, image);
  await assertKept(collection, image, stagedBlobs, locations);
  await keepTrees(collection);
  const layers = listLayers(output);
  const coming = new Set(stagedBlobs.map((blob) => blob.digest));
  const outcome = { upToDate: false, layers, coming };
  await announceResult(ports, collection.store, request, image, outcome);
  await commitImage(run, {
    image,
    stagedBlobs,
    locations,
    names: request.names.map((one) => one.full),
    ...(inputs.key === undefined ? {} : { record: describeRecord(collection, inputs.key, image) }),
    // So that a prune leaves the last build of each stage, and the next build can tell what changed.
    refs: [collection.layers.stateKey],
    ...(output.state === undefined
      ? {}
      : { state: { key: collection.layers.stateKey, directory: output.state } }),
  });
  done();
  return { image, layers };
}

/** For `--explain`: without them it says less. */
async function keepTrees({ store, inputs }: Collection): Promise<void> {
  for (const { digest, files } of inputs.directories.values()) {
    await tolerate(putTree(store, digest, files));
  }
}

/** Layers that stay where they are must be there: else the names would move to an image that nobody can have. */
async function assertKept(
  { store, request, ports }: Collection,
  image: Image,
  stagedBlobs: readonly StagedBlob[],
  locations: readonly Location[],
): Promise<void> {
  const staged = new Set(stagedBlobs.map((blob) => blob.digest));
  const missing = await listMissingLayers(store, image);
  const elsewhere = missing.filter((layer) => !staged.has(layer.digest));
  if (elsewhere.length === 0) return;
  const { assertPresent } = await import("../delivery/delivery.ts");
  await assertPresent(elsewhere, locations, request.access, ports.signal);
}

/** A blob that the build changed may be the store's own file: it is dropped there, and then only missing. */
async function checkInput({ store, layers }: Collection): Promise<void> {
  for (const blob of layers.directory.inputBlobs) {
    try {
      await assertInputUnchanged({ ...layers.directory, inputBlobs: [blob] });
    } catch (error) {
      await rm(blobPath(store, `sha256:${blob.hex}`), { force: true });
      throw error;
    }
  }
}

function describeRecord({ request, inputs }: Collection, key: string, image: Image): BuildRecord {
  const names = request.names.map((one) => one.full);
  return { key, manifest: image.digest, names, details: inputs.parts };
}

async function collectLayers({
  store,
  request,
  plan,
  run,
  ports,
  found,
  bases,
  layers,
}: Collection): Promise<CollectedOutput> {
  return collectOutput(layers.directory.output, {
    previous: found.previous,
    reuse: plan.output.reuse,
    compression: plan.output.compression,
    epoch: request.epoch,
    maxLayers: request.maxLayers,
    maxLayerSize: request.maxLayerSize,
    allowDevices: request.allowDevices,
    staging: run.staging,
    baseLayers: countLayers(bases),
    isKnown: (digest) => hasBlob(store, digest),
    identity: layers.directory.identity,
    signal: ports.signal,
  });
}
