export { type ArchiveLayer, collectArchives } from "./collect/archives.ts";
export { collectOutput } from "./collect/collect.ts";
export { assertLayerLimit } from "./collect/layer-limit.ts";
export {
  type PreparedLayers,
  assertInputUnchanged,
  prepareLayersDirectory,
} from "./directory/prepare.ts";
export type {
  CollectedEntry,
  CollectedLayer,
  CollectedOutput,
  CollectOptions,
  LayersRequest,
  LayerStatus,
  PreviousImage,
  PreviousImages,
  Reuse,
} from "./model.ts";
