import type { ContextHash } from "../context/context.ts";
import type { EngineWorkspace } from "../delivery/delivery.ts";
import type { CollectedLayer, Release } from "../layers/layers.ts";
import type { Digest } from "../oci/oci.ts";
import type { BuildPlan } from "../plan/plan.ts";
import type { Run } from "../store/store.ts";
import type { BuildRequest, BuildResult } from "./request.ts";
import type { ResolvedImage } from "./resolve-images.ts";
import type { StageImage } from "./stage-images.ts";
import type { BuildInputs } from "./resolve-inputs.ts";

/** Where a build is done: the last parameter of each of its steps. */
export interface BuildWorkspace extends EngineWorkspace {
  /** RFC 3339 in whole seconds. */
  readonly now: string;
  /** How long what is not used stays when a build has tidied up behind itself, in milliseconds; undefined: for ever. */
  readonly maxAge?: number | undefined;
  /** Called when the image is known and no name stands for it yet: what fails there leaves all as it was. */
  readonly beforeNaming?: (result: BuildResult) => Promise<void>;
  /** Called when it is known that steps must run, and can; where several images are built, the others may wait here. */
  readonly beforeSteps?: () => Promise<void>;
  /**
   * Starts over where ordinary users have all ids of the container (`buildah unshare`), and gives
   * the exit status; undefined, or a result of undefined, where that is not needed.
   */
  readonly enterNamespace?: () => Promise<number | undefined>;
  /** Where several images are built by one command: what they have in common. */
  readonly shared: Shared;
}

/** The same as a caller gives it: what several of its builds have in common, where there are several. */
export type CallerWorkspace = Omit<BuildWorkspace, "shared"> & { readonly shared?: Shared };

/** Does something once for each key; whoever asks later gets what came of it. */
export type Once<T> = (key: string, action: () => Promise<T>) => Promise<T>;

/** What the builds of one command have in common: the images of its stages, targets and platforms. */
export interface Shared {
  /** As many at a time as --jobs says. */
  readonly limit: <T>(action: () => Promise<T>) => Promise<T>;
  readonly isParallel: boolean;
  /** Whether there are several targets, of which one may be a stage of another. */
  readonly hasTargets: boolean;
  /** Images from outside, by name. */
  readonly resolveImage: Once<ResolvedImage>;
  /** Earlier images of which steps hear. */
  readonly readHistory: Once<readonly Release[]>;
  /** Directories that steps read. */
  readonly hashDirectory: Once<ContextHash | undefined>;
  /** Images of stages on their way into the engine. */
  readonly loadStage: Once<void>;
  /** Images of stages, by their keys: other targets use them, too. */
  readonly makeStage: Once<StageImage>;
  /** Stages without OUTPUT that several images are built with. */
  readonly evaluateStage: Once<void>;
  /** Images whose steps do the same for every platform; the key is that of the build which ran them. */
  readonly makePortable: Once<PortableImage>;
  /** Stands for what nobody knows, and for steps that shall be run anew. */
  readonly nonce: string;
}

export interface PortableImage extends Pick<StageImage, "image" | "previous"> {
  readonly layers: readonly CollectedLayer[];
  readonly key: Digest | undefined;
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
