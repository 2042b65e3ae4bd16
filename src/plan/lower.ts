import type {
  Containerfile,
  Flag,
  Instruction,
  Reference,
  ResolvedStage,
  SourceText,
  Stage,
} from "../containerfile/containerfile.ts";
import type { Span } from "../diagnostics.ts";
import type { BuildPlan, LayeringImages, PinnedImages, StageBuild } from "./model.ts";
import { renderArguments } from "./arguments.ts";

/** A replacement of a stretch of the source. */
interface Edit {
  readonly span: Span;
  readonly text: string;
}

/**
 * The file up to the end of `stage`, as plain Containerfile: an OUTPUT, and what follows it in its
 * stage, is blanked, line breaks kept, so that line numbers in the engine's messages still hold.
 */
export function lowerStage(
  containerfile: Containerfile,
  stage: Stage,
  pins: readonly Edit[] = [],
): SourceText {
  const end = stage.instructions.at(-1)?.span.end.offset ?? stage.from.span.end.offset;
  const blanks = blankOutputs(containerfile, stage.index + 1);
  const edits = [...blanks, ...pins.filter((pin) => !isWithin(pin, blanks))];
  return finishText(applyEdits(containerfile.source, 0, end, edits));
}

/** The whole file without its OUTPUT instructions and what follows them, for a target that uses none of them. */
export function lowerFile(containerfile: Containerfile): SourceText {
  const { source, stages } = containerfile;
  return applyEdits(source, 0, source.length, blankOutputs(containerfile, stages.length));
}

/**
 * The file up to the OUTPUT of `stage`. ONBUILD triggers of the stage are blanked: they are the
 * image's, and would fire when the layering steps start from the environment.
 */
export function lowerEnvironment(
  containerfile: Containerfile,
  stage: Stage,
  pins: readonly Edit[] = [],
): SourceText {
  const end = stage.output?.span.start.offset ?? containerfile.source.length;
  const triggers = stage.instructions
    .filter((one) => one.keyword === "ONBUILD" && one.span.start.offset < end)
    .map((one) => blank(containerfile, one));
  const blanks = [...blankOutputs(containerfile, stage.index), ...triggers];
  const edits = [...blanks, ...pins.filter((pin) => !isWithin(pin, blanks))];
  return finishText(applyEdits(containerfile.source, 0, end, edits));
}

/**
 * For a last stage that would have no instruction: buildah 1.28 leaves the working container of such
 * a stage behind. Nobody reads what it says.
 */
const fillerInstruction = "STOPSIGNAL SIGTERM";

/**
 * A stage's file with the names that this run gives to images from outside: so the engine uses those
 * very images, and its working containers, which are named after them, can be told to be this run's.
 */
export function pinImages(plan: BuildPlan, build: StageBuild, pinned: PinnedImages): SourceText {
  const { containerfile } = plan;
  const stage = containerfile.stages[build.index];
  if (stage === undefined || pinned.size === 0) return build.text;
  const edits = plan.needed.flatMap((one) => [
    ...pinBase(one, pinned),
    ...renameUses(one, (reference) =>
      reference.kind === "image" ? pinned.get(reference.name) : undefined,
    ),
  ]);
  return build === plan.environment
    ? lowerEnvironment(containerfile, stage, edits)
    : lowerStage(containerfile, stage, edits);
}

/** A FROM with another image; line breaks within it are kept, behind it. */
function pinBase({ stage, base, platform }: ResolvedStage, pinned: PinnedImages): readonly Edit[] {
  const image = base.kind === "image" ? pinned.get(base.name) : undefined;
  if (image === undefined) return [];
  const { span, text } = stage.from;
  const flag = platform === undefined ? "" : `--platform=${platform} `;
  const name = /\s(AS\s+\S+)\s*$/i.exec(text)?.[1];
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
 * The second call's file: the layering steps in a stage from the environment's image, and a last
 * stage with the metadata instructions alone, whose config says what the engine made of them.
 */
export function lowerLayering(plan: BuildPlan, images: LayeringImages): SourceText {
  const { containerfile, output, target, layering } = plan;
  const head = renderHead(plan, images);
  const start = output.instruction.span.end.offset;
  const end = layering.instructions.at(-1)?.span.end.offset ?? start;
  const edits = renameUses(target, (reference) => {
    if (reference.kind === "stage") return images.stages.get(reference.index);
    return reference.kind === "image" ? images.pinned.get(reference.name) : undefined;
  });
  const steps = applyEdits(containerfile.source, start, end, edits);
  const metadata = layering.metadata
    .map((one) => containerfile.source.slice(one.span.start.offset, one.span.end.offset))
    .concat(layering.metadata.every((one) => one.keyword === "ARG") ? [fillerInstruction] : [])
    .join("\n");
  return [
    containerfile.escape === "`" ? "# escape=`\n" : "",
    renderPreamble(containerfile),
    `${head}${steps.replace(/^\s*\n/, "")}\n`,
    `${head}${metadata}\n`,
  ].join("");
}

function renderPreamble(containerfile: Containerfile): SourceText {
  return containerfile.preamble
    .map((one) => `${containerfile.source.slice(one.span.start.offset, one.span.end.offset)}\n`)
    .join("");
}

function renderHead(plan: BuildPlan, images: LayeringImages): SourceText {
  const platform = plan.target.platform === undefined ? "" : `--platform=${plan.target.platform} `;
  return `FROM ${platform}${images.environment}\n${renderArguments(plan, images)}`;
}

/** `--from=stage` as `--from=image`, or the `from=` field of a mount. */
function renameSource(instruction: Instruction, flag: Flag, image: string): string {
  if (instruction.keyword !== "RUN") return `--from=${image}`;
  const fields = (flag.value ?? "")
    .split(",")
    .map((field) => (field.trim().startsWith("from=") ? `from=${image}` : field));
  return `--mount=${fields.join(",")}`;
}

function blankOutputs(containerfile: Containerfile, before: number): readonly Edit[] {
  return containerfile.stages
    .filter((stage) => stage.index < before)
    .flatMap((stage) => {
      const from = stage.output?.span.start.offset ?? Number.POSITIVE_INFINITY;
      return stage.instructions
        .filter((one) => one.span.start.offset >= from)
        .map((one) => blank(containerfile, one));
    });
}

function blank(containerfile: Containerfile, instruction: Instruction): Edit {
  const { start, end } = instruction.span;
  const text = containerfile.source.slice(start.offset, end.offset);
  return { span: instruction.span, text: text.replace(/[^\r\n]+/g, "") };
}

function isWithin({ span }: Edit, others: readonly Edit[]): boolean {
  return others.some(
    (one) => span.start.offset >= one.span.start.offset && span.end.offset <= one.span.end.offset,
  );
}

function applyEdits(
  source: SourceText,
  start: number,
  end: number,
  edits: readonly Edit[],
): SourceText {
  const parts: string[] = [];
  let position = start;
  const inside = edits.filter(
    (edit) => edit.span.start.offset >= start && edit.span.end.offset <= end,
  );
  for (const edit of [...inside].sort((a, b) => a.span.start.offset - b.span.start.offset)) {
    parts.push(source.slice(position, edit.span.start.offset), edit.text);
    position = edit.span.end.offset;
  }
  return [...parts, source.slice(position, end)].join("");
}

function finishText(text: SourceText): SourceText {
  return text.endsWith("\n") || text === "" ? text : `${text}\n`;
}
