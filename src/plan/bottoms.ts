import type { Reference, ResolvedStage } from "../containerfile/containerfile.ts";

const known = new WeakMap<readonly ResolvedStage[], ReadonlyMap<number, Reference>>();

/**
 * What a stage on `base` stands on, whatever stages of the list are between them: nothing where one of them is not in it.
 * Worked out once for each list: a file may have thousands of stages, each on the one before.
 */
export function findBottom(stages: readonly ResolvedStage[], base: Reference): Reference {
  if (base.kind !== "stage") return base;
  const bottoms = known.get(stages) ?? listBottoms(stages);
  known.set(stages, bottoms);
  return bottoms.get(base.index) ?? { kind: "scratch" };
}

/** By the stages' indexes: one stands only on what comes before it. */
function listBottoms(stages: readonly ResolvedStage[]): ReadonlyMap<number, Reference> {
  const bottoms = new Map<number, Reference>();
  for (const { stage, base } of stages) {
    const bottom = base.kind === "stage" ? bottoms.get(base.index) : base;
    if (bottom !== undefined) bottoms.set(stage.index, bottom);
  }
  return bottoms;
}
