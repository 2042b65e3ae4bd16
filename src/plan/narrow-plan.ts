import type { Instruction, ResolvedStage } from "../containerfile/containerfile.ts";
import { listDependencies, listReferences } from "./dependencies.ts";
import type { BuildPlan, StagePlan } from "./model.ts";

/**
 * The plan with the dependencies of one of its stages alone, as the engine builds it: what stands behind an OUTPUT, and
 * stages that are only read there, count for nothing.
 */
export function narrowPlan(plan: BuildPlan, { index }: Pick<StagePlan, "index">): BuildPlan {
  const { containerfile, dependencies } = plan;
  const all = new Map(dependencies.stages.map((one) => [one.stage.index, cutStage(one)]));
  const own = new Map<number, ResolvedStage>();
  const waiting = [index];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const stage = all.get(next);
    if (stage === undefined || own.has(next)) continue;
    own.set(next, stage);
    for (const one of listReferences(stage)) if (one.kind === "stage") waiting.push(one.index);
  }
  const stages = [...own.values()].sort((a, b) => a.stage.index - b.stage.index);
  const { fired } = dependencies;
  return { ...plan, dependencies: { ...listDependencies(containerfile, stages), fired } };
}

/** A stage up to its OUTPUT. */
function cutStage(resolved: ResolvedStage): ResolvedStage {
  const { stage, uses, reads, argumentUses } = resolved;
  if (stage.output === undefined) return resolved;
  const before = new Set(stage.instructions.slice(0, stage.instructions.indexOf(stage.output)));
  const isBefore = ({ instruction }: { readonly instruction: Instruction }): boolean =>
    before.has(instruction);
  return {
    ...resolved,
    stage: { ...stage, instructions: [...before], output: undefined },
    uses: uses.filter(isBefore),
    reads: reads.filter(isBefore),
    argumentUses: argumentUses.filter(isBefore),
    output: undefined,
    argumentsAtOutput: [],
  };
}
