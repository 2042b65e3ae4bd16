export { collectOutput } from "./collect/collect.ts";
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
} from "./model.ts";
