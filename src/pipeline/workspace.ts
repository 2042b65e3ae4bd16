import type { EngineWorkspace } from "../delivery/delivery.ts";
import type { BuildPlan } from "../plan/plan.ts";
import type { Run } from "../store/store.ts";
import type { BuildRequest, BuildResult } from "./request.ts";
import type { BuildInputs } from "./resolve-inputs.ts";

/** Where a build is done: the last parameter of each of its steps. */
export interface BuildWorkspace extends EngineWorkspace {
  /** RFC 3339 in whole seconds. */
  readonly now: string;
  /** Called when the image is known and no name stands for it yet: what fails there leaves all as it was. */
  readonly beforeNaming?: (result: BuildResult) => Promise<void>;
  /**
   * Starts over where ordinary users have all ids of the container (`buildah unshare`), and gives
   * the exit status; undefined, or a result of undefined, where that is not needed.
   */
  readonly enterNamespace?: () => Promise<number | undefined>;
}

/** The same with a run of the store, whose directory is for what is unfinished. */
export interface BuildRunWorkspace extends BuildWorkspace {
  readonly run: Run;
}

/** One build: what is done, what was asked for, and what the result depends on. */
export interface Build {
  readonly plan: BuildPlan;
  readonly request: BuildRequest;
  readonly inputs: BuildInputs;
}
