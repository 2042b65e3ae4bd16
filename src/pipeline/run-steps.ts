import { once } from "node:events";
import type { EngineSession } from "../engine/engine.ts";
import { type Digest, parseConfig } from "../oci/oci.ts";
import type { StagePlan } from "../plan/plan.ts";
import { inBriefStep, inStep, type Step } from "../reporter.ts";
import { collectEarly, createReceived } from "../layers/layers.ts";
import { describeCollecting } from "./collecting.ts";
import { readStoredConfig } from "./base-facts.ts";
import { findBareEnvironment, openIdleSession } from "./bare-stage.ts";
import { warnLeft } from "./dead-runs.ts";
import { listPlatforms } from "./image-platform.ts";
import { listLoaded } from "./load-stages.ts";
import { listPlaces } from "./image-places.ts";
import { listSent } from "./sent-names.ts";
import type { LaidOut } from "./lay-out.ts";
import type { StageConfigs, StepsResult } from "./prepare-layers.ts";
import { explainStep } from "./explain-step.ts";
import { type EvaluatedStage, lookUpStage } from "./known-stages.ts";
import { keepFailed } from "./keep-output.ts";
import { tellTrees } from "./tell-trees.ts";
import { findUnseenInputs } from "./unseen-inputs.ts";
import type { Build, BuildRunWorkspace } from "./workspace.ts";

/** Does `action` in a session of the engine and leaves nothing of it in the engine's storage, whatever happens. */
export async function withSession<T>(
  build: Build,
  work: BuildRunWorkspace,
  action: (session: EngineSession) => Promise<T>,
): Promise<T> {
  const open = async (): Promise<EngineSession> =>
    openIdleSession(build) ?? (await openSession(build, work));
  const session = await inBriefStep(`Starting ${work.engine.name}`, open, work);
  try {
    const result = await action(session);
    // What follows may take long: nothing is kept for it that it does not need.
    const clean = async (): Promise<void> =>
      void (await Promise.all([endSession(session, work), work.run.discardWork()]));
    await inBriefStep(cleaning, clean, work);
    return result;
  } catch (error) {
    // A call that ended well has removed its containers; one that failed or was stopped may not have.
    const clean = async (): Promise<void> => {
      await session.abandon();
      await endSession(session, work);
    };
    await inBriefStep(cleaning, clean, work);
    throw error;
  }
}

const cleaning = "Cleaning up the engine's storage";

async function openSession(build: Build, work: BuildRunWorkspace): Promise<EngineSession> {
  const { plan, request } = build;
  const unseen = findUnseenInputs(build, work);
  const images = listLoaded(build);
  const platforms = await listPlatforms(build, images, work);
  const bare = findBareEnvironment(build);
  const { steps } = request;
  const places = await listPlaces(build, work);
  const sent = await listSent(build, work);
  return work.engine.openSession(
    { plan, steps, images, platforms, unseen, bare, places, sent },
    work,
  );
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

/** The images of the stages: before the environment what the layering steps read. */
export async function evaluateStages(
  build: Build,
  session: EngineSession,
  work: BuildRunWorkspace,
): Promise<readonly EvaluatedStage[]> {
  const { plan } = build;
  const evaluate = async ({ progress }: Step): Promise<readonly EvaluatedStage[]> => {
    const stages: EvaluatedStage[] = [];
    const isBare = findBareEnvironment(build) !== undefined;
    for (const stage of plan.stages) {
      const found = isBare && stage === plan.target ? {} : await lookUpStage(build, stage, work);
      const id = await session.evaluateStage(stage, { progress, known: found.known });
      stages.push({ ...found, index: stage.index, id });
    }
    return stages;
  };
  return inStep(plan.target.kind === "plain" ? "Stages" : "Environment", evaluate, work);
}

/** What a stage is built with beside the session. */
export interface StageRun extends LaidOut {
  readonly session: EngineSession;
  /** What was evaluated before. */
  readonly stages: readonly EvaluatedStage[];
  /** Begins to look once more at what the steps of an engine elsewhere have read; the last look counts. */
  readonly look: () => void;
}

/** Runs the layering steps with the layers directory, of which alone is kept what they write. */
export async function runTarget(
  build: Build,
  stage: StageRun,
  work: BuildRunWorkspace,
): Promise<StepsResult> {
  const { session, stages, prepared, look, ...before } = stage;
  const { target } = build.plan;
  if (target.kind === "plain" || prepared === undefined) return takeImage(build, stage, work);
  const { output } = target;
  const environment = parseConfig(await readStoredConfig(idOf(target, stages), work));
  const options = describeCollecting(build, { ...before, output, prepared }, work);
  const early = work.engine.isElsewhere
    ? undefined
    : collectEarly(prepared.directory.output, options);
  const { maxLayers, maxLayerSize } = build.request.layers;
  const received = work.engine.isElsewhere
    ? createReceived(prepared.directory.output, { maxLayers, maxLayerSize })
    : undefined;
  const over = createSignal();
  const run = ({ progress }: Step): Promise<Digest> =>
    session
      .runLayering(target, {
        ...prepared.directory,
        environment,
        progress,
        onStarted: received ? undefined : () => tellTrees(build, prepared.directory.root),
        receive: async (archive) => received?.take(archive, work.signal),
        // What they wrote is still to come then, but they read no more.
        onStepsOver: received ? look : over.give,
      })
      .catch(async (error: unknown) => {
        // What was collected by then is given up by whoever collects.
        if (over.isGiven()) throw error;
        await early?.drop();
        const explained = explainStep(error, { prepared, previous: before.previous });
        // Of a step that failed elsewhere nothing has come.
        throw received ? explained : await keepFailed(explained, { build, prepared }, work);
      });
  let isBusy = true;
  const made = inStep("Layering steps", run, work).finally(() => (isBusy = false));
  await Promise.race([made, over.given]);
  early?.stop();
  const read = async (id: Digest): Promise<StageConfigs> => {
    const isSame = id === idOf(target, stages);
    const layering = isSame ? environment : parseConfig(await work.engine.readConfig(id));
    return { environment, layering };
  };

  const configs = finishEarly(made, { read, session }, work);
  const layers = { output, prepared, received, ...(early && { early }) };
  const busy = received ? {} : { isBusy: () => isBusy };
  return { ...before, configs, made: { kind: "directory", ...layers, ...busy } };
}

interface Signal {
  readonly given: Promise<void>;
  readonly give: () => void;
  readonly isGiven: () => boolean;
}

function createSignal(): Signal {
  const source = new AbortController();
  const { signal } = source;
  return {
    given: once(signal, "abort").then(() => undefined),
    give: () => source.abort(),
    isGiven: () => signal.aborted,
  };
}

interface Finish<T> {
  /** The last thing that is asked of the engine. */
  readonly read: (id: Digest) => Promise<T>;
  readonly session: EngineSession;
}

/** The engine clears up beside what follows. Whoever waits for what was read hears what failed. */
function finishEarly<T>(
  made: Promise<Digest>,
  { read, session }: Finish<T>,
  { reporter }: BuildRunWorkspace,
): Promise<T> {
  const readLast = async (): Promise<T> => {
    const id = await made;
    const done = reporter.step(cleaning, { isBrief: true });
    const reading = read(id);
    const clean = async (): Promise<void> => {
      await reading.then(session.end).catch(() => undefined);
      done();
    };
    void clean();
    return reading;
  };
  const last = readLast();
  void last.catch(() => undefined);
  return last;
}

function idOf({ index }: StagePlan, stages: StageRun["stages"]): Digest {
  const id = stages.find((one) => one.index === index)?.id;
  if (id === undefined) throw new RangeError("the stage was not evaluated");
  return id;
}

/** A stage without OUTPUT is what the engine made of it. */
async function takeImage(
  { plan, request }: Build,
  { session, stages, previous, bases, arranged }: StageRun,
  work: BuildRunWorkspace,
): Promise<StepsResult> {
  const id = idOf(plan.target, stages);
  const read = (): Promise<Uint8Array> => work.engine.readConfig(id);
  const config = parseConfig(await inBriefStep("Reading the image's config", read, work));
  const hide = createRedaction(request);
  const history = config.history?.map(({ created_by: by, ...entry }) =>
    by === undefined ? entry : { ...entry, created_by: hide(session.restoreNames(by)) },
  );
  const told = history === undefined ? config : { ...config, history };
  const configs = { environment: told, layering: told };
  const made = { kind: "engine", id, config: told } as const;
  return { previous, bases, arranged, configs, made };
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
