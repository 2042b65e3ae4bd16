import type { EngineSession, StageConfigs } from "../engine/engine.ts";
import type { PreparedLayers } from "../layers/layers.ts";
import type { Digest } from "../oci/oci.ts";
import { warnLeft } from "./dead-runs.ts";
import { findUnseenInputs } from "./unseen-inputs.ts";
import type { Build, BuildRunWorkspace } from "./workspace.ts";

/** Does `action` in a session of the engine and leaves nothing of it in the engine's storage, whatever happens. */
export async function withSession<T>(
  build: Build,
  work: BuildRunWorkspace,
  action: (session: EngineSession) => Promise<T>,
): Promise<T> {
  const { plan, request, inputs } = build;
  const unseen = findUnseenInputs(build);
  const used = { plan, steps: request.steps, images: inputs.images, unseen };
  const session = await work.engine.openSession(used, work);
  try {
    const result = await action(session);
    // What follows may take long: nothing is kept for it that it does not need.
    await Promise.all([endSession(session, work), work.run.discardWork()]);
    return result;
  } catch (error) {
    // A call that ended well has removed its containers; one that failed or was stopped may not have.
    await session.abandon();
    await endSession(session, work);
    throw error;
  }
}

/** What could not be given up stays written down in the run's directory, for the next cleaner. */
async function endSession(session: EngineSession, work: BuildRunWorkspace): Promise<void> {
  try {
    await session.end();
  } catch (error) {
    work.run.leave();
    warnLeft(work.run.directory, error, work);
  }
}

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
