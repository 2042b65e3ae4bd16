import {
  blobsContext,
  declaresEpoch,
  layersContext,
  lowerEnvironment,
  lowerSteps,
  mountedNames,
  nameBuiltSources,
  withoutOwn,
} from "../engine/engine.ts";
import { type ImageConfig, parseConfig } from "../oci/oci.ts";
import type { BuildPlan, LayeredStage } from "../plan/plan.ts";
import { type EvaluatedImage, evaluateText, type NamedState } from "./dockerfile.ts";
import type { LayersContext } from "./layers-context.ts";
import type { FrontendWork } from "./work.ts";

/** Images of other stages, by the names that they have in a text. */
export type Named = ReadonlyMap<string, NamedState>;

/** A stage with an OUTPUT that is built. */
export interface LayeredBuild {
  readonly plan: BuildPlan;
  readonly target: LayeredStage;
  readonly named: Named;
}

export interface EvaluatedSteps {
  readonly steps: EvaluatedImage;
  /** As it is at OUTPUT. */
  readonly environment: ImageConfig;
}

/** What the text up to OUTPUT, and up to the end of the stage, comes to; nothing is run for that yet. */
export async function evaluateSteps(
  build: LayeredBuild,
  context: LayersContext,
  { evaluation, limits }: FrontendWork,
): Promise<EvaluatedSteps> {
  const { plan, target, named } = build;
  const pinned = nameBuiltSources(plan);
  const before = await evaluateText(evaluation, {
    text: lowerEnvironment(plan, target, pinned),
    named,
  });
  const environment = await readOwn(build, before);
  const isAdded = limits.epoch !== undefined && !declaresEpoch(target, environment);
  const text = lowerSteps(plan, target, { mounted: mountedNames, declaresEpoch: isAdded, pinned });
  const found = new Map([
    ...named,
    [layersContext, { state: context.layers }] as const,
    [blobsContext, { state: context.blobs }] as const,
  ]);
  return { steps: await evaluateText(evaluation, { text, named: found }), environment };
}

/** Without what BuildKit adds by itself. */
export async function readOwn(
  { plan, target }: Pick<LayeredBuild, "plan" | "target">,
  { config, baseConfig }: EvaluatedImage,
): Promise<ImageConfig> {
  const bases = baseConfig === undefined ? [] : [{ readConfig: () => Promise.resolve(baseConfig) }];
  return parseConfig(await withoutOwn(config, { plan, stage: target, bases }));
}
