export { collectOutput } from "./collect/collect.ts";
export {
  type PreparedLayers,
  assertInputUnchanged,
  prepareLayersDirectory,
} from "./directory/prepare.ts";
export type {
  CollectOptions,
  CollectedEntry,
  CollectedLayer,
  CollectedOutput,
  Compression,
  LayerStatus,
  LayersDirectory,
  LayersInput,
  PreviousImage,
  PreviousImages,
} from "./model.ts";
