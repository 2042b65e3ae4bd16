import type { Reference, ResolvedStage } from "../containerfile/containerfile.ts";
import { listReferences } from "./dependencies.ts";
import type { BuildPlan } from "./model.ts";
import { nameStage } from "./separate.ts";

/**
 * The stages of a build for a person: in turns, those of one turn being independent of each other, each stage with what
 * it is and what it uses. A line each, without line ends.
 * @param plans of the target and of the stages that it uses, each before those that use it
 */
export function drawGraph(plans: readonly BuildPlan[]): readonly string[] {
  const stages = new Map(
    plans.flatMap(({ needed }) => needed.map((one) => [one.stage.index, one] as const)),
  );
  const images = new Set(plans.map(({ target }) => target.index));
  const turns = listTurns(stages);
  const width = [...stages.values()].reduce(
    (most, one) => Math.max(most, nameStage(one).length),
    0,
  );
  const describe = (one: ResolvedStage): string => describeStage(one, { stages, images, width });
  return [...turns.entries()]
    .sort(([a], [b]) => a - b)
    .flatMap(([turn, members]) => [nameTurn(turn, members.length)].concat(members.map(describe)));
}

function nameTurn(turn: number, count: number): string {
  return count === 1 ? `Turn ${turn}` : `Turn ${turn}, ${count} stages side by side`;
}

type Stages = ReadonlyMap<number, ResolvedStage>;

/** Each stage is one turn behind the last of those that it uses, which come before it in the file. */
function listTurns(stages: Stages): ReadonlyMap<number, readonly ResolvedStage[]> {
  const found = new Map<number, number>();
  const turns = new Map<number, ResolvedStage[]>();
  for (const one of [...stages.values()].sort((a, b) => a.stage.index - b.stage.index)) {
    const used = listReferences(one).map((other) =>
      "index" in other ? (found.get(other.index) ?? 0) : 0,
    );
    const turn = Math.max(0, ...used) + 1;
    found.set(one.stage.index, turn);
    const members = turns.get(turn);
    if (members === undefined) turns.set(turn, [one]);
    else members.push(one);
  }
  return turns;
}

interface Drawing {
  readonly stages: Stages;
  /** Those whose images are made. */
  readonly images: ReadonlySet<number>;
  readonly width: number;
}

function describeStage(
  { base, uses, output, ...one }: ResolvedStage,
  { stages, images, width }: Drawing,
): string {
  const name = nameStage({ base, uses, output, ...one }).padEnd(width);
  const kind = output === undefined ? (images.has(one.stage.index) ? "image" : "stage") : "layers";
  const show = (references: readonly Reference[]): string =>
    [...new Set(references.map((reference) => showReference(reference, stages)))].join(", ");
  const copied = uses.map(({ reference }) => reference);
  return [
    `  ${name}  ${kind}  FROM ${show([base])}`,
    ...(output === undefined || output.from.length === 0 ? [] : [`layers of ${show(output.from)}`]),
    ...(copied.length === 0 ? [] : [`files of ${show(copied)}`]),
  ].join("; ");
}

function showReference(reference: Reference, stages: Stages): string {
  if (reference.kind === "scratch") return "scratch";
  if (reference.kind !== "stage") return reference.name;
  const stage = stages.get(reference.index);
  return stage === undefined ? String(reference.index) : nameStage(stage);
}
