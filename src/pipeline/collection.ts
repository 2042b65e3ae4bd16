import type { EvaluatedConfigs } from "../plan/plan.ts";
import type { BuildPlan } from "../plan/plan.ts";
import type { Store } from "../store/store.ts";
import type { Run } from "../store/store.ts";
import type { BaseImage } from "./bases.ts";
import type { BuildInputs } from "./inputs.ts";
import type { PreparedLayers } from "./prepare-layers.ts";
import type { FoundImages } from "./previous.ts";
import type { BuildPorts, BuildRequest } from "./request.ts";

/** A build whose steps have run: all that its image is made of. */
export interface Collection {
  readonly store: Store;
  readonly request: BuildRequest;
  readonly plan: BuildPlan;
  readonly ports: BuildPorts;
  readonly run: Run;
  readonly inputs: BuildInputs;
  readonly found: FoundImages;
  /** What `--from` names, in order. */
  readonly bases: readonly BaseImage[];
  readonly configs: Omit<EvaluatedConfigs, "base">;
  readonly layers: PreparedLayers;
}
