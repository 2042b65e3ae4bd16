import type { StageConfigs } from "../engine/engine.ts";
import type { LayersBefore, PreparedLayers } from "./prepare-layers.ts";

/** What the steps of a build came to: all that its image is made of. */
export interface StepsResult extends LayersBefore {
  readonly prepared: PreparedLayers;
  readonly configs: StageConfigs;
}
