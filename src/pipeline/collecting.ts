import type { CollectOptions } from "../layers/layers.ts";
import { findBlob, findKnown, keepKnown, type Store } from "../store/store.ts";
import type { LayersBefore, MadeLayers } from "./prepare-layers.ts";
import type { Build, BuildRunWorkspace } from "./workspace.ts";

/** How the layers that steps write are packed, and what they may prove to be. */
export function describeCollecting(
  { request }: Build,
  {
    output,
    prepared,
    previous,
    arranged,
    lasts,
    received,
  }: LayersBefore & Omit<MadeLayers, "kind">,
  { run, store, signal }: BuildRunWorkspace,
): CollectOptions {
  const { reuse, compression } = output;
  const { maxLayers, maxLayerSize, allowDevices } = request.layers;
  return {
    previous,
    ...(lasts === true ? { trees: rememberTrees(store) } : {}),
    reuse,
    compression,
    findTree: received?.findTree,
    maxLayers,
    maxLayerSize,
    allowDevices,
    identity: prepared.directory.identity,
    signal,
    epoch: request.steps.epoch,
    staging: run.staging,
    baseLayers: arranged.layerCount,
    isKnown: async (digest) => (await findBlob(store, { digest })) !== undefined,
  };
}

function rememberTrees(store: Store): CollectOptions["trees"] {
  return {
    find: (key) => findKnown(store, "tree", key),
    keep: (key, value) => keepKnown(store, "tree", { key, value }),
  };
}
