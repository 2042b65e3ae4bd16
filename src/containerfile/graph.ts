import type { ResolvedStage } from "./model.ts";

/** The target and all stages that it uses, directly or not, ascending. */
export function findNeeded(stages: readonly ResolvedStage[], target: number): readonly number[] {
  const needed = new Set<number>();
  const waiting = [target];
  for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
    const stage = stages[index];
    if (stage === undefined || needed.has(index)) continue;
    needed.add(index);
    waiting.push(...findDependencies(stage));
  }
  return [...needed].sort((a, b) => a - b);
}

/** One stage of each circle: the first in the file. A stage that uses itself alone is none. */
export function findCircles(stages: readonly ResolvedStage[]): readonly number[] {
  const circles = new Set<number>();
  for (const [index, stage] of stages.entries()) {
    const others = findDependencies(stage).filter((dependency) => dependency !== index);
    // Every circle has a stage that uses a later one; the others need no search.
    if (others.every((dependency) => dependency < index)) continue;
    const reached = new Set(others.flatMap((dependency) => findNeeded(stages, dependency)));
    const isReported = [...circles].some((first) => reached.has(first));
    if (reached.has(index) && !isReported) circles.add(index);
  }
  return [...circles];
}

/** The stages that a stage uses directly, its base first. */
export function findDependencies({ base, uses, output }: ResolvedStage): readonly number[] {
  const references = [base, ...uses.map(({ reference }) => reference), ...(output?.from ?? [])];
  return references.flatMap((reference) => (reference.kind === "stage" ? [reference.index] : []));
}
