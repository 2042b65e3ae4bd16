import type {
  Containerfile,
  Instruction,
  OutputOptions,
  Reference,
  ResolvedStage,
  ScopedArgument,
  StageGraph,
} from "../containerfile/containerfile.ts";

/**
 * How the image of one stage is made, before anything has been asked of an engine. Images that other plans make
 * (`Dependencies.built`) come from outside, as those of a registry do.
 */
export interface BuildPlan {
  readonly containerfile: Containerfile;
  /** What the engine keeps as an image of its own, each stage before those that read it, the target's last. */
  readonly stages: readonly StagePlan[];
  /** The last of them: the stage whose image is made. */
  readonly target: StagePlan;
  /** The target and all stages that are built with it. */
  readonly needed: readonly ResolvedStage[];
  /** What the result depends on; triggers of base images are in it as soon as somebody knows them (`applyTriggers`). */
  readonly dependencies: Dependencies;
  /** As the file was resolved: what its names stand for. */
  readonly graph: StageGraph;
}

/** What a result depends on, as far as the file, and the ONBUILD triggers that fire in it, tell. */
export interface Dependencies {
  /** The stages in use, with the instructions that triggers add to them. */
  readonly stages: readonly ResolvedStage[];
  /** Those of their instructions that are triggers. */
  readonly fired: ReadonlySet<Instruction>;
  /** Images that the build takes from outside, one for each key (`imageKey`), sorted by it. */
  readonly images: readonly ImageReference[];
  /** Stages of the file whose images plans of their own make, ascending. */
  readonly built: readonly BuiltReference[];
  /** Named contexts that the needed stages use. */
  readonly contexts: readonly string[];
  /** The instructions of the needed stages, comments left out. */
  readonly texts: readonly string[];
  /**
   * Which stages of the file are meant, wherever one is named or numbered: a line each, by their places among those in
   * use. The texts alone do not tell.
   */
  readonly links: readonly string[];
  /** Names that an ARG of those stages, or of the file's head, declares. */
  readonly declaredArguments: ReadonlySet<string>;
  /** Steps whose result can change while nothing here does: an ADD of a URL without a checksum. */
  readonly unpredictable: readonly Instruction[];
}

export type ImageReference = Reference & { readonly kind: "image" };

export type BuiltReference = Reference & { readonly kind: "built" };

export type StagePlan = PlainStage | LayeredStage;

/** A stage that the engine builds as it stands in the file. */
export interface PlainStage {
  readonly kind: "plain";
  /** Of the stage in the user's file. */
  readonly index: number;
  /** As the user may have named it: for reports. */
  readonly name: string;
  readonly resolved: ResolvedStage;
  /** The image that it stands on, whatever stages are between them; none for scratch. */
  readonly bases: readonly Reference[];
  /** As for a stage with OUTPUT. */
  readonly hasEnginePath: boolean;
}

/**
 * A stage with an OUTPUT: what comes before it is the environment, which the engine builds like any stage; what
 * comes after it writes the layers, and is not kept.
 */
export interface LayeredStage {
  readonly kind: "layered";
  readonly index: number;
  readonly name: string;
  readonly resolved: ResolvedStage;
  readonly output: OutputOptions;
  /** The images whose layers stand below those of the build, in order: OUTPUT's `--from`. */
  readonly bases: readonly Reference[];
  readonly layering: LayeringSteps;
  /** The file's escape character. */
  readonly escape: Containerfile["escape"];
  /** Names that an ARG before OUTPUT, or of other stages, declares. */
  readonly declaredBeforeOutput: ReadonlySet<string>;
  /** ONBUILD triggers given before OUTPUT: they hold for an image that inherits the environment's config. */
  readonly inheritedTriggers: readonly string[];
  /** Whether CMD was given in this stage before OUTPUT: an ENTRYPOINT after it then leaves CMD alone. */
  readonly commandBeforeOutput: boolean;
  /** Whether the engine adds a PATH by itself: the environment's lowest base is `scratch`, and nobody sets one. */
  readonly hasEnginePath: boolean;
}

/** What stands after OUTPUT in the stage. */
export interface LayeringSteps {
  readonly instructions: readonly Instruction[];
  readonly metadata: readonly Instruction[];
  readonly argumentsAtOutput: readonly ScopedArgument[];
}
