import { basename } from "node:path";
import { XbuildError } from "../../errors.ts";
import type { Instruction, SourceText } from "../../containerfile/containerfile.ts";
import {
  blank,
  blankOutputs,
  type BuildPlan,
  cutText,
  type Edit,
  type LayeredStage,
  omitWithin,
  type StagePlan,
} from "../../plan/plan.ts";
import type { ImageConfig } from "../../oci/oci.ts";
import type { StepsRequest } from "../model.ts";
import { quoteItem } from "../quote-item.ts";
import { renameAll } from "../stage-names.ts";
import { nameOwnSources } from "./sources.ts";
import { floorScript } from "./floor.ts";
import { renderUser } from "./user-label.ts";

/** The named context that has the layers directory. */
export const layersContext = "xbuild-layers";
/** The one that has what is below `input/`, of which blobs are kept by builders. */
export const blobsContext = "xbuild-blobs";
/** What is mounted at the path of OUTPUT. */
export const mountedNames = ["bin", "history.json", "input/blobs", "input/state", "names"];

/**
 * Below the layers directory: where this file is, the helper says by itself which name it did not find, for nobody reads what
 * a step that failed has left.
 */
export const tellUnknownFile = "bin/.tell-unknown";

/** What the text calls images, by their keys; those that are not named keep what the file calls them. */
type Pinned = ReadonlyMap<string, string>;

/** The file up to the end of a stage, the OUTPUT of others and what follows them left out. */
export function lowerPlain(
  plan: BuildPlan,
  { index }: StagePlan,
  pinned: Pinned = nameOwnSources(plan),
): SourceText {
  const stage = plan.containerfile.stages[index];
  const end = stage?.instructions.at(-1)?.span.end.offset ?? stage?.from.span.end.offset ?? 0;
  return cut(plan, { end, blanks: blankOutputs(plan.containerfile, index + 1), pinned });
}

/** The file up to the OUTPUT of a stage. */
export function lowerEnvironment(
  plan: BuildPlan,
  { index, output }: LayeredStage,
  pinned: Pinned = nameOwnSources(plan),
): SourceText {
  const blanks = blankOutputs(plan.containerfile, index);
  return cut(plan, { end: output.instruction.span.start.offset, blanks, pinned });
}

/** What the layering steps find. */
export interface StepsText {
  /** Names at the path of OUTPUT that are mounted, from the layers context's root. */
  readonly mounted: readonly string[];
  /** Whether a SOURCE_DATE_EPOCH is to be seen by RUN instructions that nobody has declared. */
  readonly declaresEpoch: boolean;
}

/** And what they leave. */
export interface LayeringText extends StepsText {
  /** What our own steps behind those of the file are known by: nobody who writes a file can know it beforehand. */
  readonly mark: string;
  /** Whether times are rounded down by a step of ours. */
  readonly isFloored: boolean;
}

/**
 * The file up to the end of a stage with an OUTPUT, with a last stage that has what its steps wrote to `<path>/output`.
 * Errors: `engine-cannot-run`.
 */
export function lowerLayering(
  plan: BuildPlan,
  stage: LayeredStage,
  { mark, isFloored, ...steps }: LayeringText,
): SourceText {
  const { output, index, escape } = stage;
  const { path } = output;
  const head = lowerSteps(plan, stage, steps);
  const floor = isFloored ? renderFloor(`${path}/output`, mark) : "";
  const written = escapePattern(`${path}/output`);
  const copy = `COPY --from=${index} ${renderPaths([written, "/"], escape)}`;
  return `${head}${floor}FROM scratch AS ${mark}\n${copy}\n`;
}

/**
 * The file up to the end of a stage with an OUTPUT. The steps stay in their stage, so that scopes, the working directory
 * and lines are what they are in the file: in the place of OUTPUT the empty `output` is copied there, and each RUN behind it
 * has a mount for each other name of the directory (one at the path itself would hide `output`). Errors:
 * `engine-cannot-run`.
 */
export function lowerSteps(
  plan: BuildPlan,
  stage: LayeredStage,
  {
    mounted,
    declaresEpoch,
    pinned = nameOwnSources(plan),
  }: StepsText & { readonly pinned?: Pinned },
): SourceText {
  const { output, layering, index, escape } = stage;
  const { path, instruction } = output;
  const end = layering.instructions.at(-1)?.span.end.offset ?? instruction.span.end.offset;
  const mounts = renderMounts(mounted, stage);
  const edits = [
    replaceOutput(plan, instruction, {
      copy: `COPY --from=${layersContext} ${renderPaths(["skeleton", path], escape)}`,
      epoch: declaresEpoch,
    }),
    ...layering.instructions
      .filter(({ keyword }) => keyword === "RUN")
      .map((one) => addMounts(one, mounts)),
  ];
  const blanks = [...blankOutputs(plan.containerfile, index), ...edits];
  return cut(plan, { end, blanks, pinned });
}

/** What stands in the text for the mounts of a step. Errors: `engine-cannot-run` for a path that has no mount. */
export function renderMounts(
  mounted: readonly string[],
  { output, escape }: Pick<LayeredStage, "output" | "escape">,
): SourceText {
  // Its parser takes each byte of a flag for a letter. BuildKit, `extractBuilderFlags`
  if (/[^ -~]/.test(output.path)) throw refusePath(output.path);
  return mounted.map((name) => renderMount(name, output.path, escape)).join(" ");
}

function refusePath(path: string): XbuildError {
  return new XbuildError("engine-cannot-run", `BuildKit cannot mount anything at ${path}`, {
    hint: "give OUTPUT a path of ASCII letters",
  });
}

/** A field is read as CSV has it, and its variables are then expanded. */
function renderMount(name: string, path: string, escape: string): SourceText {
  const from =
    name === "input/blobs"
      ? `from=${blobsContext},source=blobs`
      : `from=${layersContext},source=root/${name}`;
  const target = `target=${escapeWord(`${path}/${name}`, escape)}`;
  const value = `type=bind,${from},${quoteItem(target)}`;
  if (!/[\s"'\\`]/.test(value)) return toSource(`--mount=${value}`);
  const quoted = value.replaceAll(escape, escape + escape).replaceAll('"', `${escape}"`);
  return toSource(`--mount="${quoted}"`);
}

/** The line that an ARG of ours has taken, as lines of the text are counted: those behind it come one later than in the file. */
export function findExtraLine(
  { output: { instruction } }: LayeredStage,
  { declaresEpoch }: Pick<LayeringText, "declaresEpoch">,
): number | undefined {
  const { span, endLine } = instruction;
  return declaresEpoch && endLine === span.start.line ? endLine + 1 : undefined;
}

interface Replacement {
  readonly copy: SourceText;
  readonly epoch: boolean;
}

/** On as many lines as before. An ARG of ours stands on the line of OUTPUT's end, if that has one to spare. */
function replaceOutput(
  { containerfile }: BuildPlan,
  instruction: Instruction,
  { copy, epoch }: Replacement,
): Edit {
  const { span } = instruction;
  const breaks = containerfile.source.slice(span.start.offset, span.end.offset).match(/\n/g) ?? [];
  const lines = [copy, ...(epoch ? ["ARG SOURCE_DATE_EPOCH"] : [])];
  const spare = Math.max(0, breaks.length + 1 - lines.length);
  return { span, text: lines.join("\n") + "\n".repeat(spare) };
}

function addMounts({ span }: Instruction, mounts: SourceText): Edit {
  const at = {
    ...span.start,
    offset: span.start.offset + "RUN".length,
    column: span.start.column + "RUN".length,
  };
  return { span: { start: at, end: at }, text: ` ${mounts}` };
}

/** In the form of JSON, which takes blanks; variables are not meant. */
function renderPaths(paths: readonly string[], escape: string): SourceText {
  return toSource(JSON.stringify(paths.map((path) => escapeWord(path, escape))));
}

/** A word that stands for these very letters, whatever it is expanded with. */
function escapeWord(word: string, escape: string): string {
  return word.replaceAll(/[\\`"'$]/g, (char) => escape + char);
}

/** What a step copies is a pattern where it looks like one. BuildKit's copy, `containsWildcards` */
function escapePattern(path: string): string {
  if (!/[*?[]/.test(path)) return path;
  return path.replaceAll(/[*?[\\]/g, (char) => (char === "\\" ? "\\\\" : `[${char}]`));
}

function toSource(text: string): SourceText {
  return Buffer.from(text).toString("latin1");
}

/** Root's, for the files are anybody's. */
function renderFloor(directory: string, mark: string): SourceText {
  const words = ["/bin/sh", "-c", floorScript, mark, directory];
  return `USER 0\nRUN --network=none ${toSource(JSON.stringify(words))}\n`;
}

/**
 * Whether times that steps have kept of somewhere else are to be the same as with other engines, and can be. Else files are
 * compared without them, and a second more or less is no matter: then the container of that step is saved.
 */
export function needsFloor(stage: LayeredStage, { epoch }: Pick<StepsRequest, "epoch">): boolean {
  return (epoch !== undefined || stage.output.reuse === "exact") && hasShell(stage);
}

/** Whether a file, or the image of the environment, has said what SOURCE_DATE_EPOCH is. */
export function declaresEpoch(
  { layering }: Pick<LayeredStage, "layering">,
  { config }: ImageConfig,
): boolean {
  const name = "SOURCE_DATE_EPOCH";
  return (
    layering.argumentsAtOutput.some((one) => one.name === name) ||
    (config?.Env ?? []).some((one) => one.startsWith(`${name}=`))
  );
}

/** Whether the steps of a stage have run a shell: then there is one. */
export function hasShell({ resolved }: LayeredStage): boolean {
  const { instructions } = resolved.stage;
  const shells = instructions.flatMap(({ keyword, json }) =>
    keyword === "SHELL" ? [basename(json?.[0] ?? "")] : [],
  );
  return (
    shells.every((one) => /^(?:ba|da|a|k|z)?sh$/.test(one)) &&
    instructions.some(({ keyword, json }) => keyword === "RUN" && json === undefined)
  );
}

interface CutText {
  readonly end: number;
  readonly blanks: readonly Edit[];
  readonly pinned: Pinned;
}

function cut(plan: BuildPlan, { end, blanks, pinned }: CutText): SourceText {
  const renames = renameAll(plan, { pinned, mounted: new Map(), stages: new Map() });
  const text = cutText(plan.containerfile, end, { edits: renames, blanks });
  return withoutDirectives(text, plan.containerfile.escape);
}

/**
 * A frontend that a tag names may be another one tomorrow, and what is to be checked is not this text: of the directives at
 * the head of a file the escape character alone is said. On as many lines as before.
 */
function withoutDirectives(text: SourceText, escape: string): SourceText {
  const head = /^(?:#[ \t]*[A-Za-z]+[ \t]*=[^\n]*\n)+/.exec(text)?.[0] ?? "";
  if (head === "") return text;
  const rest = head.split("\n").length - 2;
  const first = escape === "`" ? "# escape=`" : "#";
  return `${first}\n${"#\n".repeat(rest)}${text.slice(head.length)}`;
}

/** The file with metadata instructions alone: what it comes to needs no file system. */
export function lowerMetadata(
  plan: BuildPlan,
  stage: StagePlan,
  part: "environment" | "whole",
): SourceText {
  const { containerfile } = plan;
  const own = containerfile.stages[stage.index];
  const output = stage.kind === "layered" ? stage.output.instruction.span.start.offset : undefined;
  const last = own?.instructions.at(-1)?.span.end.offset ?? own?.from.span.end.offset ?? 0;
  const end = part === "environment" && output !== undefined ? output : last;
  const isLeftOut = ({ keyword, span: { start } }: Instruction): boolean =>
    ["RUN", "COPY", "ADD", "OUTPUT"].includes(keyword) ||
    // Triggers before OUTPUT are the environment's image's alone.
    (keyword === "ONBUILD" && output !== undefined && start.offset < output);
  const blanks = containerfile.instructions
    .filter(isLeftOut)
    .map((one) => blank(containerfile, one));
  const users = containerfile.instructions.flatMap((one): Edit[] => {
    const text = renderUser(one);
    return text === undefined ? [] : [{ span: one.span, text }];
  });
  const left = [...blanks, ...blankOutputs(containerfile, stage.index)];
  const all = [...left, ...omitWithin(users, left)];
  return cut(plan, { end, blanks: all, pinned: nameOwnSources(plan) });
}
