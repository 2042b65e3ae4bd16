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
  const turns = new Map<number, ResolvedStage[]>();
  for (const stage of [...stages.values()].sort((a, b) => a.stage.index - b.stage.index)) {
    const turn = findTurn(stage, stages);
    turns.set(turn, [...(turns.get(turn) ?? []), stage]);
  }
  const width = Math.max(...[...stages.values()].map((one) => nameStage(one).length));
  const describe = (one: ResolvedStage): string => describeStage(one, { stages, images, width });
  return [...turns.entries()]
    .sort(([a], [b]) => a - b)
    .flatMap(([turn, members]) => [nameTurn(turn, members.length)].concat(members.map(describe)));
}

function nameTurn(turn: number, count: number): string {
  return count === 1 ? `Turn ${turn}` : `Turn ${turn}, ${count} stages side by side`;
}

type Stages = ReadonlyMap<number, ResolvedStage>;

/** One behind the last of the stages that it uses. */
function findTurn(stage: ResolvedStage, stages: Stages): number {
  const used = listReferences(stage).flatMap((one) => {
    const other = "index" in one ? stages.get(one.index) : undefined;
    return other === undefined || other === stage ? [] : [findTurn(other, stages)];
  });
  return Math.max(0, ...used) + 1;
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
