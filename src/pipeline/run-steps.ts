import type { EngineSession } from "../engine/engine.ts";
import { type Digest, parseConfig } from "../oci/oci.ts";
import { findBareEnvironment, openIdleSession } from "./bare-stage.ts";
import { warnLeft } from "./dead-runs.ts";
import { listPlatforms } from "./image-platform.ts";
import { listLoaded } from "./load-stages.ts";
import { type LayersBefore, prepareLayers, type StepsResult } from "./prepare-layers.ts";
import { explainStep } from "./explain-step.ts";
import { keepFailed } from "./keep-output.ts";
import { findUnseenInputs } from "./unseen-inputs.ts";
import type { Build, BuildRunWorkspace } from "./workspace.ts";

/** Does `action` in a session of the engine and leaves nothing of it in the engine's storage, whatever happens. */
export async function withSession<T>(
  build: Build,
  work: BuildRunWorkspace,
  action: (session: EngineSession) => Promise<T>,
): Promise<T> {
  const session = openIdleSession(build, work) ?? (await openSession(build, work));
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

async function openSession(build: Build, work: BuildRunWorkspace): Promise<EngineSession> {
  const { plan, request } = build;
  const unseen = findUnseenInputs(build, work);
  const images = listLoaded(build);
  const platforms = await listPlatforms(build, images, work);
  return work.engine.openSession({ plan, steps: request.steps, images, platforms, unseen }, work);
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
  build: Build,
  session: EngineSession,
  { reporter }: BuildRunWorkspace,
): Promise<ReadonlyMap<number, Digest>> {
  const { plan } = build;
  const done = reporter.step(plan.target.kind === "plain" ? "Stages" : "Environment");
  const stages = new Map<number, Digest>();
  for (const stage of plan.stages) {
    const known = stage === plan.target ? findBareEnvironment(build) : undefined;
    stages.set(stage.index, await session.evaluateStage(stage, known));
  }
  done();
  return stages;
}

/** What a stage is built with beside the session. */
export interface StageRun extends LayersBefore {
  readonly session: EngineSession;
  /** Image IDs of the stages that were evaluated. */
  readonly ids: ReadonlyMap<number, Digest>;
}

/** Runs the layering steps with the layers directory, of which alone is kept what they write. */
export async function runTarget(
  build: Build,
  stage: StageRun,
  work: BuildRunWorkspace,
): Promise<StepsResult> {
  const { session, ids: _, ...before } = stage;
  const { target } = build.plan;
  if (target.kind === "plain") return takeImage(build, stage, work);
  const { output } = target;
  const prepared = await prepareLayers(build, { ...before, output }, work);
  const done = work.reporter.step("Layering steps");
  const configs = await session
    .runLayering(target, prepared.directory)
    .catch(async (error: unknown) => {
      const explained = explainStep(error, { prepared, previous: before.previous });
      throw await keepFailed(explained, { build, prepared }, work);
    });
  done();
  return { ...before, configs, made: { kind: "directory", output, prepared } };
}

/** A stage without OUTPUT is what the engine made of it. */
async function takeImage(
  { plan, request }: Build,
  { session, ids, ...before }: StageRun,
  { engine }: BuildRunWorkspace,
): Promise<StepsResult> {
  const id = ids.get(plan.target.index);
  if (id === undefined) throw new RangeError("the stage was not evaluated");
  const config = parseConfig(await engine.readConfig(id));
  const hide = createRedaction(request);
  const history = config.history?.map(({ created_by: by, ...entry }) =>
    by === undefined ? entry : { ...entry, created_by: hide(session.restoreNames(by)) },
  );
  const told = history === undefined ? config : { ...config, history };
  const configs = { environment: told, layering: told };
  return { ...before, configs, made: { kind: "engine", id, config: told } };
}

/** Engines write the arguments of a RUN into its history. */
function createRedaction({ steps, reuse }: Build["request"]): (text: string) => string {
  const secrets = [...reuse.redacted].flatMap((name) => {
    const value = steps.buildArgs.get(name);
    return value === undefined || value === "" ? [] : [`${name}=${value}`];
  });
  return (text) =>
    secrets.reduce((hidden, one) => hidden.replaceAll(one, `${one.split("=", 1)[0]}=***`), text);
}
