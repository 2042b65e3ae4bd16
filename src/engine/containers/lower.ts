import type {
  Containerfile,
  Flag,
  Instruction,
  Reference,
  ResolvedStage,
  SourceText,
  Stage,
} from "../../containerfile/containerfile.ts";
import {
  applyEdits,
  blank,
  blankOutputs,
  type BuildPlan,
  type Edit,
  imageKey,
  type LayeredStage,
  type StagePlan,
} from "../../plan/plan.ts";
import { inputsLabel } from "../../oci/oci.ts";
import type { UnseenInputs } from "../model.ts";
import { renderArguments } from "./layering-arguments.ts";

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
}

/** Names that a run gives to images from outside, by their keys (`imageKey`); what has none keeps its own. */
export type PinnedImages = ReadonlyMap<string, string>;

/** What a build for a platform knows of images from outside, by their keys. */
export interface PlacedImages {
  /** Their platforms: an engine finds an image by its name only where it is asked for that of its config. */
  readonly platforms: ReadonlyMap<string, string>;
  /** By its ID it is found whatever it is for. */
  readonly ids: ReadonlyMap<string, string>;
  /** Whether the call itself has a platform. */
  readonly isCalled: boolean;
}

/**
 * The plain Containerfile whose last stage is the one of the plan, with the names that this run gives to images from
 * outside: so the engine uses those very images, and its working containers, which are named after them, can be told
 * to be this run's.
 */
export function lowerStage(
  plan: BuildPlan,
  stage: StagePlan,
  { pinned, mounted, stages, digests, placed }: StageNames,
): SourceText {
  const { containerfile } = plan;
  const lowered = containerfile.stages[stage.index];
  if (lowered === undefined) throw new RangeError(`no stage ${stage.index}`);
  const twins = nameTwins(plan);
  const platforms = listPlatforms(plan, placed);
  const names = plan.needed.flatMap((one) => [
    ...pinBase(one, { pinned, placed, twins }),
    ...pinUses(one, { pinned, placed, twins, platform: platforms.get(one.stage.index) }),
    ...renameMounts(one, { mounted, pinned, stages }),
  ]);
  const edits = [...names, ...[...digests].map(markStep)];
  return stage.kind === "plain"
    ? lowerPlain(containerfile, lowered, edits)
    : lowerEnvironment(containerfile, lowered, edits);
}

/**
 * Names for stages that have theirs in common with another one, by their indexes: buildah 1.28 takes the one that was
 * built last. What triggers say of them stands in no text of ours: then they keep theirs.
 */
function nameTwins({ containerfile, needed, dependencies }: BuildPlan): TwinNames {
  if (dependencies.fired.size > 0) return new Map();
  const counts = new Map<string, number>();
  for (const { name } of containerfile.stages)
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  const isTwin = (name: string | undefined): boolean => (counts.get(name ?? "") ?? 0) > 1;
  return new Map(
    needed.flatMap(({ stage: { name, index } }) =>
      isTwin(name) ? [[index, `xbuild-stage-${index}`]] : [],
    ),
  );
}

type TwinNames = ReadonlyMap<number, string>;

/** What a run calls images and steps. */
export interface StageNames {
  readonly pinned: PinnedImages;
  readonly placed?: PlacedImages | undefined;
  /** The IDs of images from outside, by their keys. */
  readonly mounted: PinnedImages;
  /** Image IDs of the stages that were built before, by stage index. */
  readonly stages: ReadonlyMap<number, string>;
  readonly digests: UnseenInputs["digests"];
}

/**
 * What is mounted is named by its image's ID: so the step is another one with another image, and the same one in each
 * run, whatever the run calls the image.
 */
function renameMounts(
  { uses, ...stage }: ResolvedStage,
  { mounted, pinned, stages }: Pick<StageNames, "mounted" | "pinned" | "stages">,
): readonly Edit[] {
  const mounts = uses.filter(({ instruction }) => instruction.keyword === "RUN");
  return renameUses({ ...stage, uses: mounts }, (reference) => {
    if (reference.kind === "stage") return stages.get(reference.index);
    const key = imageKey(reference) ?? "";
    return mounted.get(key) ?? pinned.get(key);
  });
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
function lowerPlain(containerfile: Containerfile, stage: Stage, pins: readonly Edit[]): SourceText {
  const end = stage.instructions.at(-1)?.span.end.offset ?? stage.from.span.end.offset;
  const blanks = blankOutputs(containerfile, stage.index + 1);
  const edits = [...blanks, ...pins.filter((pin) => !isWithin(pin, blanks))];
  return finishText(applyEdits(containerfile.source, { start: 0, end }, edits));
}

/**
 * The file up to the OUTPUT of the stage. ONBUILD triggers of the stage are blanked: they are the
 * image's, and would fire when the layering steps start from the environment.
 */
function lowerEnvironment(
  containerfile: Containerfile,
  stage: Stage,
  pins: readonly Edit[],
): SourceText {
  const end = stage.output?.span.start.offset ?? containerfile.source.length;
  const triggers = stage.instructions
    .filter((one) => one.keyword === "ONBUILD" && one.span.start.offset < end)
    .map((one) => blank(containerfile, one));
  const blanks = [...blankOutputs(containerfile, stage.index), ...triggers];
  const edits = [...blanks, ...pins.filter((pin) => !isWithin(pin, blanks))];
  return finishText(applyEdits(containerfile.source, { start: 0, end }, edits));
}

interface PinnedUses {
  readonly pinned: PinnedImages;
  readonly placed: PlacedImages | undefined;
  readonly twins: TwinNames;
  /** Of the stage, as the engine knows it. */
  readonly platform: string | undefined;
}

/** Mounts have names of another kind. */
function pinUses({ uses, ...stage }: ResolvedStage, names: PinnedUses): readonly Edit[] {
  const copies = uses.filter(({ instruction }) => instruction.keyword !== "RUN");
  return renameUses({ ...stage, uses: copies }, (reference) => nameUsed(reference, names));
}

/** Engines look for what a stage copies or mounts by the platform of the stage. */
function nameUsed(
  reference: Reference,
  { pinned, placed, twins, platform }: PinnedUses,
): string | undefined {
  if (reference.kind === "stage") return twins.get(reference.index);
  const key = imageKey(reference);
  if (key === undefined) return undefined;
  return placed === undefined || placed.platforms.get(key) === platform
    ? pinned.get(key)
    : placed.ids.get(key);
}

/** The platforms of the images at the bottom of stages. */
function listPlatforms(
  { needed }: BuildPlan,
  placed: PlacedImages | undefined,
): ReadonlyMap<number, string | undefined> {
  const platforms = new Map<number, string | undefined>();
  if (placed === undefined) return platforms;
  for (const { base, stage } of needed) {
    const own = placed.platforms.get(imageKey(base) ?? "");
    platforms.set(stage.index, base.kind === "stage" ? platforms.get(base.index) : own);
  }
  return platforms;
}

/** A FROM with another image or name; line breaks within it are kept, behind it. */
function pinBase(
  { stage, base, platform }: ResolvedStage,
  { pinned, placed, twins }: Omit<PinnedUses, "platform">,
): readonly Edit[] {
  const key = imageKey(base) ?? "";
  const below = base.kind === "stage" ? twins.get(base.index) : pinned.get(key);
  const own = twins.get(stage.index);
  if (below === undefined && own === undefined) return [];
  const { span, text, args } = stage.from;
  const isPlaced = platform !== undefined || placed?.isCalled === true;
  const wanted = isPlaced ? (placed?.platforms.get(key) ?? platform) : undefined;
  const flag = wanted === undefined ? "" : `--platform=${wanted} `;
  const image = below ?? args.split(/\s+/)[0];
  const name = own === undefined ? /\s(AS\s+\S+)\s*$/i.exec(text)?.[1] : `AS ${own}`;
  const lines = "\n".repeat(stage.from.endLine - span.start.line);
  return [{ span, text: `FROM ${flag}${image}${name === undefined ? "" : ` ${name}`}${lines}` }];
}

function renameUses(
  { uses }: ResolvedStage,
  rename: (reference: Reference) => string | undefined,
): readonly Edit[] {
  return uses.flatMap((use): readonly Edit[] => {
    const image = rename(use.reference);
    if (image === undefined) return [];
    return [{ span: use.flag.span, text: renameSource(use.instruction, use.flag, image) }];
  });
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
  const edits = renameUses(resolved, (reference) => {
    if (reference.kind === "stage") return images.stages.get(reference.index);
    const { pinned, placed, platform } = images;
    return nameUsed(reference, { pinned, placed, platform, twins: new Map() });
  });
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

/** `--from=stage` as `--from=image`, or the `from=` field of a mount. */
function renameSource(instruction: Instruction, flag: Flag, image: string): string {
  if (instruction.keyword !== "RUN") return `--from=${image}`;
  const fields = (flag.value ?? "")
    .split(",")
    .map((field) => (field.trim().startsWith("from=") ? `from=${image}` : field));
  return `--mount=${fields.join(",")}`;
}

function isWithin({ span }: Edit, others: readonly Edit[]): boolean {
  return others.some(
    (one) => span.start.offset >= one.span.start.offset && span.end.offset <= one.span.end.offset,
  );
}

function finishText(text: SourceText): SourceText {
  return text.endsWith("\n") || text === "" ? text : `${text}\n`;
}
