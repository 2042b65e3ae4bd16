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
  LayersRequest,
  LayerStatus,
  PreviousImage,
  PreviousImages,
} from "./model.ts";
