import type { Diagnostic } from "../diagnostics.ts";
import type { Release } from "../layers/layers.ts";
import type { Bridge } from "./gateway/connect.ts";
import type { CacheImport } from "./gateway/solve.ts";
import type { State } from "./llb/state.ts";
import type { Evaluation } from "./dockerfile.ts";
import type { FrontendOptions } from "./options.ts";
import type { FoundImage } from "./previous.ts";

/** Limits of what a build may list, and its time. */
export interface FrontendLimits {
  readonly maxLayers: number;
  /** Bytes. */
  readonly maxLayerSize: number;
  readonly allowDevices: boolean;
  /** SOURCE_DATE_EPOCH in seconds, where one is set. */
  readonly epoch: number | undefined;
}

/** What all images of one platform are made with. */
export interface FrontendWork {
  readonly bridge: Bridge;
  readonly options: FrontendOptions;
  readonly evaluation: Evaluation;
  readonly limits: FrontendLimits;
  readonly previous: readonly FoundImage[];
  /** Earlier images of which steps hear. */
  readonly releases: readonly Release[];
  /** Whether the builder can put layers of several images together: Docker's classic image store has no way for it. */
  readonly canMerge: boolean;
  readonly caches: readonly CacheImport[];
  /** The image that this program runs in: steps of ours run in it, too. */
  readonly own: State;
  /** The directory that holds the helper `layer`. */
  readonly helperDirectory: string;
  readonly warn: (warning: Diagnostic) => Promise<void>;
}
