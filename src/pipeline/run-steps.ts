import type { EngineSession, StageConfigs } from "../engine/engine.ts";
import type { PreparedLayers } from "../layers/layers.ts";
import type { Digest } from "../oci/oci.ts";
import type { Build, BuildRunWorkspace } from "./workspace.ts";

/** Image IDs of the stages, by their indexes: the environment, and before it what the layering steps read. */
export async function evaluateStages(
  { plan }: Build,
  session: EngineSession,
  { reporter }: BuildRunWorkspace,
): Promise<ReadonlyMap<number, Digest>> {
  const done = reporter.step("Environment");
  const stages = new Map<number, Digest>();
  for (const stage of plan.stages) stages.set(stage.index, await session.evaluateStage(stage));
  done();
  return stages;
}

export interface LayeringRun {
  readonly session: EngineSession;
  readonly directory: PreparedLayers;
}

/** Runs the layering steps with the layers directory; nothing else of what they write is kept. */
export async function runLayering(
  { plan }: Build,
  { session, directory }: LayeringRun,
  { reporter }: BuildRunWorkspace,
): Promise<StageConfigs> {
  const done = reporter.step("Layering steps");
  const configs = await session.runLayering(plan.target, directory);
  done();
  return configs;
}
