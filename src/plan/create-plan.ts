import {
  type Containerfile,
  type Instruction,
  type OutputOptions,
  readTrigger,
  type ResolvedStage,
  type StageGraph,
} from "../containerfile/containerfile.ts";
import { findBottom } from "./bottoms.ts";
import { listDeclaredBefore, listDependencies } from "./dependencies.ts";
import type { BuildPlan, LayeredStage, LayeringSteps, PlainStage, StagePlan } from "./model.ts";
import { nameStage, separateStage } from "./separate.ts";
import { applyTriggers } from "./triggers.ts";

/** Instructions that change an image's config and nothing in its file system (Dockerfile reference). */
const metadataKeywords: ReadonlySet<string> = new Set([
  "CMD",
  "ENTRYPOINT",
  "ENV",
  "EXPOSE",
  "HEALTHCHECK",
  "LABEL",
  "MAINTAINER",
  "ONBUILD",
  "SHELL",
  "STOPSIGNAL",
  "USER",
  "VOLUME",
  "WORKDIR",
]);

function isMetadata(instruction: Instruction): boolean {
  return metadataKeywords.has(instruction.keyword);
}

/**
 * The plan for the graph's target, or undefined where neither it nor a stage that it uses has an
 * OUTPUT: such a file is the engine's alone.
 */
export function createPlan(containerfile: Containerfile, graph: StageGraph): BuildPlan | undefined {
  const isOurs = graph.needed.some((index) => graph.stages[index]?.output !== undefined);
  return isOurs ? planStage(containerfile, graph, graph.target) : undefined;
}

/** The plan for the image of one stage of the file. */
export function planStage(
  containerfile: Containerfile,
  graph: StageGraph,
  index: number,
): BuildPlan {
  const needed = separateStage(graph, index);
  const resolved = findStage(needed, index);
  const { output } = resolved;
  const target =
    output === undefined
      ? planPlain(containerfile, needed, resolved)
      : planLayered(containerfile, { resolved, output, needed });
  const plan = {
    containerfile,
    stages: [
      ...usedStages(target, needed).map((one) => planPlain(containerfile, needed, one)),
      target,
    ],
    target,
    needed,
    dependencies: listDependencies(containerfile, needed),
    graph,
  };
  return applyTriggers(plan, () => []);
}

/** The plan of a target, and those of the stages that it uses, directly or not: each before those that use it. */
export function listPlans(target: BuildPlan): readonly BuildPlan[] {
  const plans = new Map([[target.target.index, target]]);
  const waiting = [...target.dependencies.built];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (plans.has(next.index)) continue;
    const plan = planStage(target.containerfile, target.graph, next.index);
    plans.set(next.index, plan);
    waiting.push(...plan.dependencies.built);
  }
  // A stage uses those before it alone.
  return [...plans.values()].sort((a, b) => a.target.index - b.target.index);
}

interface OutputStage {
  readonly resolved: ResolvedStage;
  readonly output: OutputOptions;
  /** It and all stages that are built with it. */
  readonly needed: readonly ResolvedStage[];
}

function planLayered(
  containerfile: Containerfile,
  { resolved, output, needed }: OutputStage,
): LayeredStage {
  const { start } = output.instruction.span;
  const after = resolved.stage.instructions.filter((one) => one.span.start.offset > start.offset);
  const before = resolved.stage.instructions.filter((one) => one.span.start.offset < start.offset);
  return {
    kind: "layered",
    index: resolved.stage.index,
    name: nameStage(resolved),
    resolved,
    output,
    bases: output.from.filter((one) => one.kind !== "scratch"),
    layering: planLayering(resolved, after),
    escape: containerfile.escape,
    declaredBeforeOutput: listDeclaredBefore(containerfile, needed, output.instruction),
    inheritedTriggers: before.filter((one) => one.keyword === "ONBUILD").map(readTrigger),
    commandBeforeOutput: before.some((one) => one.keyword === "CMD"),
    hasEnginePath:
      findBottom(needed, resolved.base).kind === "scratch" &&
      !setsPath(containerfile, start.offset),
  };
}

function setsPath({ instructions }: Containerfile, before: number): boolean {
  return instructions.some(
    (one) => one.keyword === "ENV" && one.span.start.offset < before && /\bPATH\b/.test(one.args),
  );
}

function findStage(stages: readonly ResolvedStage[], index: number): ResolvedStage {
  const stage = stages.find((one) => one.stage.index === index);
  if (stage === undefined) throw new RangeError(`no stage ${index}`);
  return stage;
}

/**
 * The stages that the layering steps read, and those that any RUN mounts, in the file's order: each is built
 * on its own. buildah 1.28 mounts a stage of the same call that came from its cache as the stage's base.
 */
function usedStages(target: StagePlan, needed: readonly ResolvedStage[]): readonly ResolvedStage[] {
  const steps = target.kind === "plain" ? [] : target.layering.instructions;
  const uses = target.resolved.uses.filter((use) => steps.includes(use.instruction));
  const mounts = needed.flatMap((stage) =>
    stage.uses.filter(({ instruction }) => instruction.keyword === "RUN"),
  );
  const indexes = [...uses, ...mounts].flatMap(({ reference }) =>
    reference.kind === "stage" ? [reference.index] : [],
  );
  return [...new Set(indexes)].sort((a, b) => a - b).map((index) => findStage(needed, index));
}

function planPlain(
  containerfile: Containerfile,
  needed: readonly ResolvedStage[],
  resolved: ResolvedStage,
): PlainStage {
  const { instructions, from } = resolved.stage;
  const end = (instructions.at(-1) ?? from).span.end.offset;
  const base = findBottom(needed, resolved.base);
  return {
    kind: "plain",
    index: resolved.stage.index,
    name: nameStage(resolved),
    resolved,
    bases: base.kind === "scratch" ? [] : [base],
    hasEnginePath: base.kind === "scratch" && !setsPath(containerfile, end),
  };
}

function planLayering(target: ResolvedStage, after: readonly Instruction[]): LayeringSteps {
  return {
    instructions: after,
    metadata: after.filter((one) => isMetadata(one) || one.keyword === "ARG"),
    argumentsAtOutput: target.argumentsAtOutput,
  };
}
