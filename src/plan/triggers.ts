import {
  encodeText,
  parseContainerfile,
  readTrigger,
  type Reference,
  type ResolvedStage,
  resolveStages,
  type StageGraph,
} from "../containerfile/containerfile.ts";
import { listDependencies } from "./dependencies.ts";
import { applyEdits, type Edit } from "./edits.ts";
import type { BuildPlan, Dependencies, StagePlan } from "./model.ts";
import { separateStage } from "./separate.ts";

/** The ONBUILD triggers in an image's config. */
export type FindTriggers = (
  base: Reference & { readonly kind: "image" | "context" | "built" },
) => readonly string[];

/**
 * The plan with what ONBUILD triggers of the bases in use make a result depend on: they count as if they stood behind
 * FROM (Dockerfile reference, ONBUILD). Those of the file's own stages are found here; a trigger may name an image or a
 * stage that nothing else uses, whose base may have triggers of its own: then `findTriggers` is asked for that as well.
 */
export function applyTriggers(plan: BuildPlan, findTriggers: FindTriggers): BuildPlan {
  let graph = plan.graph;
  let stages = plan.needed;
  for (let fired = ""; ;) {
    const edits = stages.flatMap((stage) => fireTriggers(stage, plan, findTriggers));
    const text = edits.map((edit) => `${edit.span.start.offset} ${edit.text}`).join("\n");
    if (text === fired) break;
    fired = text;
    graph = resolveWith(plan, edits);
    if (graph.stages.length !== plan.graph.stages.length) break;
    stages = separateStage(graph, plan.target.index);
  }
  const hasNothing = graph === plan.graph && plan.dependencies.fired.size === 0;
  return hasNothing ? plan : replaceDependencies(plan, graph, stages);
}

/** Each trigger on a line of its own behind FROM, as an edit of the file's text. */
function fireTriggers(
  { base, stage: { index } }: ResolvedStage,
  { containerfile, graph }: BuildPlan,
  findTriggers: FindTriggers,
): readonly Edit[] {
  const stage = graph.stages[index];
  if (stage === undefined) return [];
  const triggers = listTriggers(base, graph, findTriggers);
  const { start, end } = stage.stage.from.span;
  const from = containerfile.source.slice(start.offset, end.offset);
  const text = [from, ...triggers.map(encodeText)].join("\n");
  return triggers.length === 0 ? [] : [{ span: stage.stage.from.span, text }];
}

function listTriggers(
  base: Reference,
  graph: StageGraph,
  findTriggers: FindTriggers,
): readonly string[] {
  if (base.kind === "scratch") return [];
  if (base.kind !== "stage") return findTriggers(base);
  const stage = graph.stages[base.index]?.stage;
  return (stage?.instructions ?? []).filter((one) => one.keyword === "ONBUILD").map(readTrigger);
}

function resolveWith({ containerfile, graph }: BuildPlan, edits: readonly Edit[]): StageGraph {
  const { source, file } = containerfile;
  const text = applyEdits(source, { start: 0, end: source.length }, edits);
  return resolveStages(parseContainerfile(Buffer.from(text, "latin1"), file), graph.options);
}

function replaceDependencies(
  plan: BuildPlan,
  graph: StageGraph,
  stages: readonly ResolvedStage[],
): BuildPlan {
  const { target, containerfile } = plan;
  const dependencies = { ...listDependencies(containerfile, stages), ...findFired(plan, stages) };
  const fired = replaceArguments(target, graph.stages[target.index]);
  return {
    ...plan,
    target: fired,
    stages: plan.stages.map((stage) => (stage === target ? fired : stage)),
    dependencies:
      graph.stages.length === plan.graph.stages.length ? dependencies : withoutKey(plan),
  };
}

/** Triggers may declare arguments. */
function replaceArguments(target: StagePlan, resolved: ResolvedStage | undefined): StagePlan {
  if (target.kind === "plain" || resolved === undefined) return target;
  const { argumentsAtOutput } = resolved;
  return { ...target, layering: { ...target.layering, argumentsAtOutput } };
}

/** The instructions that are triggers: those that the stage has more of than in the file. */
function findFired(plan: BuildPlan, stages: readonly ResolvedStage[]): Pick<Dependencies, "fired"> {
  const fired = stages.flatMap(({ stage }) => {
    const own = plan.graph.stages[stage.index]?.stage.instructions.length ?? 0;
    return stage.instructions.slice(0, stage.instructions.length - own);
  });
  return { fired: new Set(fired) };
}

/** Triggers that make another file of it: nobody knows what the engine does then. */
function withoutKey({ dependencies, target }: BuildPlan): Dependencies {
  const instruction = target.resolved.stage.from;
  return { ...dependencies, unpredictable: [...dependencies.unpredictable, instruction] };
}
