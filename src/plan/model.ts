import type {
  Containerfile,
  Instruction,
  OutputOptions,
  Reference,
  ResolvedStage,
  ScopedArgument,
  SourceText,
} from "../containerfile/containerfile.ts";

/** A plain Containerfile whose last stage is what the engine is asked for. */
export interface StageBuild {
  /** Of the stage in the user's file. */
  readonly index: number;
  /** As the user may have named it: for reports. */
  readonly name: string;
  readonly text: SourceText;
}

/** What a build of a target with OUTPUT does, before anything has been asked of an engine. */
export interface BuildPlan {
  readonly containerfile: Containerfile;
  readonly target: ResolvedStage;
  readonly output: OutputOptions;
  /** The images whose layers stand below those of the build, in order: OUTPUT's `--from`. */
  readonly bases: readonly Reference[];
  /** The stages that the layering steps or `bases` read, each to be built (and cached) on its own. */
  readonly stages: readonly StageBuild[];
  /** The target and all stages that it uses. */
  readonly needed: readonly ResolvedStage[];
  /** The target's stage up to OUTPUT. */
  readonly environment: StageBuild;
  readonly layering: LayeringSteps;
  /** Images that the build takes from outside, as the file names them, sorted. */
  readonly images: readonly string[];
  /** Named contexts that the needed stages use. */
  readonly contexts: readonly string[];
  readonly readsContext: boolean;
  /** What the result depends on of the file: the instructions of the needed stages, comments left out. */
  readonly texts: readonly string[];
  /** Names that an ARG of those stages, or of the file's head, declares. */
  readonly declaredArguments: ReadonlySet<string>;
  /** The same, of what comes before OUTPUT (and of other stages) alone. */
  readonly declaredBeforeOutput: ReadonlySet<string>;
  /** Steps whose result can change while nothing here does: an ADD of a URL without a checksum. */
  readonly unpredictable: readonly Instruction[];
  /** ONBUILD triggers given before OUTPUT: they hold for an image that inherits the environment's config. */
  readonly inheritedTriggers: readonly string[];
  /** Whether CMD was given in this stage before OUTPUT: an ENTRYPOINT after it then leaves CMD alone. */
  readonly commandBeforeOutput: boolean;
  /** Whether the environment's lowest base is `scratch`, where the engine adds a PATH by itself. */
  readonly fromScratch: boolean;
}

/** What stands after OUTPUT in the stage. */
export interface LayeringSteps {
  readonly instructions: readonly Instruction[];
  readonly metadata: readonly Instruction[];
  readonly argumentsAtOutput: readonly ScopedArgument[];
}

/** What only a run knows, for the text of the layering steps. */
export interface LayeringImages {
  /** The name that the environment's image has in this run. */
  readonly environment: string;
  /** The names that images from outside have in this run, by their names in the file. */
  readonly pinned: PinnedImages;
  /** Image IDs of the stages that the steps read, by stage index. */
  readonly stages: ReadonlyMap<number, string>;
  /** Names of the variables in the environment image's config. */
  readonly variables: ReadonlySet<string>;
  /** SOURCE_DATE_EPOCH in seconds. */
  readonly epoch: number | undefined;
}

/** Names that a run gives to images from outside, by their names in the file; what has none keeps its own. */
export type PinnedImages = ReadonlyMap<string, string>;
