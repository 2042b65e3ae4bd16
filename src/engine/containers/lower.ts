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
  type Edit,
  type LayeredStage,
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
} from "./stage-names.ts";

/** What only a session knows, for the text of the layering steps. */
export interface LayeringImages {
  /** The name that the environment's image has in this run. */
  readonly environment: string;
  /** The names that images from outside have in this run, by their keys. */
  readonly pinned: PinnedImages;
  /** Image IDs of the stages that the steps read, by stage index. */
  readonly stages: ReadonlyMap<number, string>;
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
  const heredocs = listEdits(names.heredocs);
  const renames = renameAll(plan, names).filter((edit) => !isWithin(edit, heredocs));
  const edits = [...renames, ...[...names.digests].map(markStep), ...heredocs];
  return stage.kind === "plain"
    ? lowerPlain(containerfile, lowered, edits)
    : lowerEnvironment(containerfile, lowered, edits);
}

function listEdits(heredocs: LoweredHeredocs): readonly Edit[] {
  return [...heredocs.values()].map(({ edit }) => edit);
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

interface Cut {
  /** Where they are within what is blanked, they are not made. */
  readonly edits: readonly Edit[];
  readonly blanks: readonly Edit[];
}

function cutText(containerfile: Containerfile, end: number, { edits, blanks }: Cut): SourceText {
  const all = [...blanks, ...edits.filter((edit) => !isWithin(edit, blanks))];
  const text = applyEdits(containerfile.source, { start: 0, end }, all);
  return text.endsWith("\n") || text === "" ? text : `${text}\n`;
}

/**
 * For a last stage that would have no instruction: buildah 1.28 leaves the working container of such
 * a stage behind. Nobody reads what it says.
 */
const fillerInstruction = "STOPSIGNAL SIGTERM";

/**
 * The second call's file: the layering steps in a stage from the environment's image, and a last
 * stage with the metadata instructions alone, whose config says what the engine made of them.
 */
export function lowerLayering(
  { containerfile }: BuildPlan,
  stage: LayeredStage,
  images: LayeringImages,
): SourceText {
  const { output, resolved, layering } = stage;
  const head = renderHead(stage, images);
  const start = output.instruction.span.end.offset;
  const end = layering.instructions.at(-1)?.span.end.offset ?? start;
  // The stages are images of the engine by now.
  const renames = renameUses(resolved, (reference) => nameUsed(reference, images));
  const heredocs = listEdits(images.heredocs);
  const edits = [...renames.filter((edit) => !isWithin(edit, heredocs)), ...heredocs];
  const steps = applyEdits(containerfile.source, { start, end }, edits);
  const metadata = layering.metadata
    .map((one) => containerfile.source.slice(one.span.start.offset, one.span.end.offset))
    .concat(layering.metadata.every((one) => one.keyword === "ARG") ? [fillerInstruction] : [])
    .join("\n");
  // The last stage does all that there is: a stage of its own that does nothing would leave its container, too.
  const hasSteps = layering.instructions.length > layering.metadata.length;
  return [
    containerfile.escape === "`" ? "# escape=`\n" : "",
    renderPreamble(containerfile),
    hasSteps ? `${head}${steps.replace(/^\s*\n/, "")}\n` : "",
    `${head}${metadata}\n`,
  ].join("");
}

function renderPreamble(containerfile: Containerfile): SourceText {
  return containerfile.preamble
    .map((one) => `${containerfile.source.slice(one.span.start.offset, one.span.end.offset)}\n`)
    .join("");
}

function renderHead(stage: LayeredStage, images: LayeringImages): SourceText {
  const platform = images.platform ?? stage.resolved.platform;
  const flag = platform === undefined ? "" : `--platform=${platform} `;
  return `FROM ${flag}${images.environment}\n${renderArguments(stage, images)}`;
}

function isWithin({ span }: Edit, others: readonly Edit[]): boolean {
  return others.some(
    (one) => span.start.offset >= one.span.start.offset && span.end.offset <= one.span.end.offset,
  );
}
