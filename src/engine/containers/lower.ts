import type {
  Containerfile,
  Instruction,
  SourceText,
  Stage,
} from "../../containerfile/containerfile.ts";
import {
  applyEdits,
  blank,
  blankOutputs,
  type BuildPlan,
  cutText,
  type Edit,
  type LayeredStage,
  omitWithin,
  type StagePlan,
} from "../../plan/plan.ts";
import { inputsLabel } from "../../oci/oci.ts";
import type { LoweredHeredocs } from "./lower-heredocs.ts";
import { renderArguments } from "./layering-arguments.ts";
import {
  nameUsed,
  type PinnedImages,
  type PlacedImages,
  renameAll,
  renameUses,
  type StageNames,
} from "../stage-names.ts";

/** What only a session knows, for the text of the layering steps. */
export interface LayeringImages {
  /** The name that the environment's image has in this run. */
  readonly environment: string;
  /** The names that images from outside have in this run, by their keys. */
  readonly pinned: PinnedImages;
  /** Image IDs of the stages that the steps read, by stage index. */
  readonly stages: ReadonlyMap<number, string>;
  /** What the last stage is called: nobody whose words are in the engine's log can know that beforehand. */
  readonly lastName?: string;
  /** Names of the variables in the environment image's config. */
  readonly variables: ReadonlySet<string>;
  /** SOURCE_DATE_EPOCH in seconds. */
  readonly epoch: number | undefined;
  readonly placed?: PlacedImages | undefined;
  /** That of the environment's config, where the engine has to be told. */
  readonly platform?: string | undefined;
  readonly heredocs: LoweredHeredocs;
}

/**
 * The plain Containerfile whose last stage is the one of the plan, with the names that this run gives to images from
 * outside: so the engine uses those very images, and its working containers, which are named after them, can be told
 * to be this run's.
 */
export function lowerStage(plan: BuildPlan, stage: StagePlan, names: StageNames): SourceText {
  const { containerfile } = plan;
  const lowered = containerfile.stages[stage.index];
  if (lowered === undefined) throw new RangeError(`no stage ${stage.index}`);
  const edits = [...editStages(plan, names), ...[...names.digests].map(markStep)];
  return stage.kind === "plain"
    ? lowerPlain(containerfile, lowered, edits)
    : lowerEnvironment(containerfile, lowered, edits);
}

/** What is said otherwise in the file than the user does. */
export function editStages(plan: BuildPlan, names: StageNames): readonly Edit[] {
  return withHeredocs(renameAll(plan, names), names.heredocs);
}

/** The same of layering steps: the stages are images of the engine by now. */
export function editLayering({ resolved }: LayeredStage, images: LayeringImages): readonly Edit[] {
  const renames = renameUses(resolved, (reference) => nameUsed(reference, images));
  return withHeredocs(renames, images.heredocs);
}

/** An instruction with heredocs is said anew as a whole. */
function withHeredocs(renames: readonly Edit[], lowered: LoweredHeredocs): readonly Edit[] {
  const heredocs = [...lowered.values()].map(({ edit }) => edit);
  return [...omitWithin(renames, heredocs), ...heredocs];
}

/**
 * A label in front of a step that reads what the cache does not look at: the cache compares all that came before, and
 * so the step is another one with another digest. No step sees it, and no image of ours has it.
 */
function markStep([instruction, digest]: readonly [Instruction, string]): Edit {
  const { start } = instruction.span;
  return { span: { start, end: start }, text: `LABEL ${inputsLabel}=${digest}\n` };
}

/** The file up to the end of the stage. */
function lowerPlain(
  containerfile: Containerfile,
  stage: Stage,
  edits: readonly Edit[],
): SourceText {
  const end = stage.instructions.at(-1)?.span.end.offset ?? stage.from.span.end.offset;
  return cutText(containerfile, end, {
    edits,
    blanks: blankOutputs(containerfile, stage.index + 1),
  });
}

/**
 * The file up to the OUTPUT of the stage. ONBUILD triggers of the stage are blanked: they are the
 * image's, and would fire when the layering steps start from the environment.
 */
function lowerEnvironment(
  containerfile: Containerfile,
  stage: Stage,
  edits: readonly Edit[],
): SourceText {
  const end = stage.output?.span.start.offset ?? containerfile.source.length;
  const triggers = stage.instructions
    .filter((one) => one.keyword === "ONBUILD" && one.span.start.offset < end)
    .map((one) => blank(containerfile, one));
  const blanks = [...blankOutputs(containerfile, stage.index), ...triggers];
  return cutText(containerfile, end, { edits, blanks });
}

/**
 * For a last stage that would have no instruction: buildah 1.28 leaves the working container of such
 * a stage behind. Nobody reads what it says.
 */
export const fillerInstruction = "STOPSIGNAL SIGTERM";

/**
 * The second call's file: the layering steps in a stage from the environment's image, and a last
 * stage with the metadata instructions alone, whose config says what the engine made of them.
 */
export function lowerLayering(
  plan: BuildPlan,
  stage: LayeredStage,
  images: LayeringImages,
): SourceText {
  const { output, layering } = stage;
  const start = output.instruction.span.end.offset;
  const end = layering.instructions.at(-1)?.span.end.offset ?? start;
  const { source } = plan.containerfile;
  const steps = applyEdits(source, { start, end }, editLayering(stage, images));
  // The last stage does all that there is: a stage of its own that does nothing would leave its container, too.
  const hasSteps = layering.instructions.length > layering.metadata.length;
  const own = hasSteps ? `${renderHead(stage, images)}${steps.replace(/^\s*\n/, "")}\n` : "";
  const last = lowerMetadata(plan, stage, images);
  return last.head + own + last.text;
}

/** The last stage of that file: behind the head of a file, and a file of its own with it. */
export function lowerMetadata(
  { containerfile }: BuildPlan,
  stage: LayeredStage,
  images: LayeringImages,
): { readonly head: SourceText; readonly text: SourceText } {
  const { metadata } = stage.layering;
  const lines = metadata
    .map((one) => containerfile.source.slice(one.span.start.offset, one.span.end.offset))
    .concat(metadata.every((one) => one.keyword === "ARG") ? [fillerInstruction] : [])
    .join("\n");
  const escape = containerfile.escape === "`" ? "# escape=`\n" : "";
  return {
    head: escape + renderPreamble(containerfile),
    text: `${renderHead(stage, images, nameStage(images))}${lines}\n`,
  };
}

function renderPreamble(containerfile: Containerfile): SourceText {
  return containerfile.preamble
    .map((one) => `${containerfile.source.slice(one.span.start.offset, one.span.end.offset)}\n`)
    .join("");
}

/** How the last stage of the layering steps is called behind its FROM. */
export function nameStage({ lastName }: LayeringImages): string {
  return lastName === undefined ? "" : ` AS ${lastName}`;
}

function renderHead(stage: LayeredStage, images: LayeringImages, name = ""): SourceText {
  const platform = images.platform ?? stage.resolved.platform;
  const flag = platform === undefined ? "" : `--platform=${platform} `;
  return `FROM ${flag}${images.environment}${name}\n${renderArguments(stage, images)}`;
}
