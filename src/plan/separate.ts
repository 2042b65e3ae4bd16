import type { Reference, ResolvedStage, StageGraph } from "../containerfile/containerfile.ts";
import { parsePlatform, renderPlatform, type WantedPlatform } from "../oci/oci.ts";
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
  const { base, platform, uses, output } = stage;
  const separate = (reference: Reference): Reference => {
    if (reference.kind !== "stage") return reference;
    const used = graph.stages[reference.index];
    return used?.output === undefined ? reference : toBuilt(reference, graph);
  };
  const from = output?.from.map((one) => (one.kind === "stage" ? toBuilt(one, graph) : one));
  return {
    ...stage,
    base: placeBase(separate(base), platform, graph),
    uses: uses.map(({ instruction, flag, reference }) => ({
      instruction,
      flag,
      reference: separate(reference),
    })),
    output: output === undefined ? undefined : { ...output, from: from ?? [] },
  };
}

/** The image for the platform that FROM asks for; as it is where no platform of that name is known. */
function placeBase(
  base: Reference,
  platform: string | undefined,
  { options: { targetPlatform, buildPlatform } }: StageGraph,
): Reference {
  if (base.kind !== "image" || platform === undefined) return base;
  const [os = "", architecture = ""] = buildPlatform.split("/");
  const asked = normaliseText(platform, { os, architecture });
  if (asked === undefined) return base;
  const isOther = asked !== normaliseText(targetPlatform, { os, architecture });
  return { ...base, platform: { text: asked, isOther } };
}

function normaliseText(text: string, host: WantedPlatform): string | undefined {
  const platform = parsePlatform(text, host);
  return platform === undefined ? undefined : renderPlatform(platform);
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
