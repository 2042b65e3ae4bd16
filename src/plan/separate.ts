import type { Reference, ResolvedStage, StageGraph } from "../containerfile/containerfile.ts";
import { listReferences } from "./dependencies.ts";

/**
 * A stage and those that are built with it, in the file's order. A stage with an OUTPUT is an image of its own for all
 * others, and so is any that gives its layers (`--from`): where their names stand, `built` references stand.
 */
export function separateStage(graph: StageGraph, index: number): readonly ResolvedStage[] {
  const own = new Map<number, ResolvedStage>();
  const waiting = [index];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const stage = graph.stages[next];
    if (stage === undefined || own.has(next)) continue;
    const separate = separateReferences(stage, graph);
    own.set(next, separate);
    waiting.push(...listReferences(separate).flatMap(indexOf));
  }
  return [...own.values()].sort((a, b) => a.stage.index - b.stage.index);
}

function separateReferences(stage: ResolvedStage, graph: StageGraph): ResolvedStage {
  const { base, uses, output } = stage;
  const separate = (reference: Reference): Reference => {
    if (reference.kind !== "stage") return reference;
    const used = graph.stages[reference.index];
    return used?.output === undefined ? reference : toBuilt(reference, graph);
  };
  const from = output?.from.map((one) => (one.kind === "stage" ? toBuilt(one, graph) : one));
  return {
    ...stage,
    base: separate(base),
    uses: uses.map(({ instruction, flag, reference }) => ({
      instruction,
      flag,
      reference: separate(reference),
    })),
    output: output === undefined ? undefined : { ...output, from: from ?? [] },
  };
}

function toBuilt({ index }: { readonly index: number }, graph: StageGraph): Reference {
  const stage = graph.stages[index];
  if (stage === undefined) throw new RangeError(`no stage ${index}`);
  return { kind: "built", index, name: nameStage(stage) };
}

function indexOf(reference: Reference): readonly number[] {
  return reference.kind === "stage" ? [reference.index] : [];
}

/** What a person calls the stage: its name, else its number. */
export function nameStage({ stage }: ResolvedStage): string {
  return stage.name ?? String(stage.index);
}

/** What an image that a file's reference stands for is kept by in a build: its name, or the stage's number. */
export function imageKey(reference: Reference): string | undefined {
  if (reference.kind === "image") return reference.name;
  return reference.kind === "built" ? `stage ${reference.index}` : undefined;
}
