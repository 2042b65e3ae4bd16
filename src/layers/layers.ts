export { type ArchiveLayer, collectArchives } from "./collect/archives.ts";
export { collectEarly, type EarlyLayers } from "./collect/early.ts";
export { collectOutput } from "./collect/collect.ts";
export { chooseReuse } from "./collect/pack-source.ts";
export { assertLayerLimit } from "./collect/layer-limit.ts";
export {
  type PreparedLayers,
  assertInputUnchanged,
  prepareLayersDirectory,
  prepareOwnDirectory,
} from "./directory/prepare.ts";
export {
  describeRelease,
  maxReleases,
  type Release,
  takeReleases,
  type TakenReleases,
} from "./directory/releases.ts";
export { forgetTrees } from "./directory/helper-notes.ts";
export { leaveOutput } from "./directory/leave-output.ts";
export { createReceived, type ReceivedOutput } from "./receive/receive-output.ts";
export { explainUnknownName } from "./directory/unknown-name.ts";
export type {
  CollectedEntry,
  CollectedLayer,
  CollectedOutput,
  CollectOptions,
  LargePath,
  LayersRequest,
  LayerStatus,
  PreviousImage,
  PreviousImages,
  Reuse,
} from "./model.ts";
