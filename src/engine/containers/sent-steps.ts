import {
  type Containerfile,
  type Instruction,
  parseContainerfile,
  type Stage,
} from "../../containerfile/containerfile.ts";
import { inputsLabel } from "../../oci/oci.ts";
import { applyEdits, type BuildPlan, type Edit, type LayeredStage } from "../../plan/plan.ts";
import { renderArguments } from "./layering-arguments.ts";
import {
  editLayering,
  editStages,
  fillerInstruction,
  type LayeringImages,
  nameStage,
} from "./lower.ts";
import type { StageNames } from "../stage-names.ts";

/** An instruction of a file that the engine is sent. */
export interface SentStep {
  /** Without blanks: the engine joins an instruction's lines. */
  readonly text: string;
  /** What the engine says instead of `STEP 1/2: ...`, for people; undefined for what nobody but us has written. */
  readonly shown: ShownStep | undefined;
}

/** An instruction as the user wrote it. */
export interface ShownStep {
  /** On one line, one character a byte. */
  readonly text: string;
  /** Which one of its stage, from 1, and of how many; FROM and OUTPUT count. */
  readonly number: number;
  readonly count: number;
  /** Which stage of how many. */
  readonly stage: number;
  readonly stages: number;
}

/** The instructions of a call's stages, each when it is asked for; stages count from 1, as the engines count them. */
export type SentStages = (stage: number) => readonly SentStep[];

/** Those of `lowerStage`. */
export function listStageSteps(plan: BuildPlan, names: StageNames): SentStages {
  const { containerfile } = plan;
  const once = createOnce(() => editStages(plan, names));
  return (number) => {
    const stage = containerfile.stages[number - 1];
    if (stage === undefined) return [];
    const show = showSteps(containerfile, stage);
    const end = stage.output?.span.start.offset ?? Number.POSITIVE_INFINITY;
    return [stage.from, ...stage.instructions]
      .filter(
        ({ keyword, span }) =>
          span.start.offset < end && (keyword !== "ONBUILD" || end === Number.POSITIVE_INFINITY),
      )
      .flatMap((one) => {
        const digest = names.digests.get(one);
        const label = digest === undefined ? [] : [hideStep(`LABEL ${inputsLabel}=${digest}`)];
        return label.concat(sendStep(containerfile, { one, shown: show(one) }, once()));
      });
  };
}

/** Those of `lowerLayering`: the steps, and the stage that only tells what the metadata come to. */
export function listLayeringSteps(
  { containerfile }: BuildPlan,
  stage: LayeredStage,
  images: LayeringImages,
): SentStages {
  const { layering, output } = stage;
  const own = containerfile.stages[stage.index];
  const edits = editLayering(stage, images);
  const show = own === undefined ? () => undefined : showSteps(containerfile, own);
  const ours = renderArguments(stage, images).split("\n").filter(Boolean).map(hideStep);
  const hasSteps = layering.instructions.length > layering.metadata.length;
  const list = (all: readonly Instruction[], name = ""): readonly SentStep[] => [
    { text: squeeze(`FROM${images.environment}${name}`), shown: show(output.instruction) },
    ...ours,
    ...all.flatMap((one) => sendStep(containerfile, { one, shown: show(one) }, edits)),
  ];
  const metadata = [...list(layering.metadata, nameStage(images)), hideStep(fillerInstruction)];
  return (number) => {
    if (!hasSteps) return metadata;
    if (number === 1) return list(layering.instructions);
    return metadata.map(({ text }) => ({ text, shown: undefined }));
  };
}

function showSteps(
  { stages }: Containerfile,
  stage: Stage,
): (one: Instruction) => ShownStep | undefined {
  const all = [stage.from, ...stage.instructions];
  const places = new Map(all.map((one, at) => [one.span.start.offset, at + 1]));
  return (one) => {
    const number = places.get(one.span.start.offset);
    if (number === undefined) return undefined;
    const [text = ""] = one.text.split("\n");
    const place = { number, count: all.length, stage: stage.index + 1, stages: stages.length };
    return { text, ...place };
  };
}

function hideStep(text: string): SentStep {
  return { text: squeeze(text), shown: undefined };
}

/** One of the user's, as it is sent: with heredocs it may be two, of which the first is shown for both. */
function sendStep(
  { source, escape }: Containerfile,
  { one, shown }: { readonly one: Instruction; readonly shown: ShownStep | undefined },
  edits: readonly Edit[],
): readonly SentStep[] {
  const [start, end] = [one.span.start.offset, one.span.end.offset];
  const own = edits.filter(({ span }) => span.start.offset >= start && span.end.offset <= end);
  if (own.length === 0) return [{ text: squeeze(one.text), shown }];
  const directive = escape === "`" ? "# escape=`\n" : "";
  const text = `${directive}FROM scratch\n${applyEdits(source, { start, end }, own)}\n`;
  const [, ...sent] = parseContainerfile(Buffer.from(text, "latin1"), "sent").instructions;
  return sent.map((step, at) => ({
    text: squeeze(step.text),
    shown: at === 0 ? shown : undefined,
  }));
}

/** As far as texts are compared. */
export function squeeze(text: string): string {
  return text.replaceAll(/\s/g, "");
}

function createOnce<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
