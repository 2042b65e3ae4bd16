import { randomBytes } from "node:crypto";
import { XbuildError } from "../../errors.ts";
import { type Digest, type ImageConfig, namePlatform } from "../../oci/oci.ts";
import type { LayeredStage, StagePlan } from "../../plan/plan.ts";
import type {
  EngineBuild,
  EngineSession,
  LayeringRun,
  SessionWorkspace,
  StageRun,
  StepTelling,
} from "../model.ts";
import { noteKeys } from "../notes.ts";
import { assertLocal } from "./assert-local.ts";
import { cacheName, createLayeringCall, createStageCall } from "./calls.ts";
import type { BuildCall, CallContext, ContainersCommands } from "./commands.ts";
import { endSession } from "./end-session.ts";
import { findHeredocs } from "./find-heredocs.ts";
import type { LoweredHeredocs } from "./lower-heredocs.ts";
import type { LayeringImages } from "./lower.ts";
import { keepImage } from "./names.ts";
import { pinImages, placeImages } from "./outside-images.ts";
import { restoreNames } from "./restore-names.ts";
import {
  configImageName,
  labelRun,
  runContainerPrefix,
  runImageName,
  stageImageName,
} from "./run-names.ts";
import { listLayeringSteps, listStageSteps } from "./sent-steps.ts";
import { claim, nameImages, type Session } from "./session-state.ts";
import type { PinnedImages, PlacedImages } from "../stage-names.ts";
import { storageBusy } from "./passing-failures.ts";
import { expectContained } from "./run-contained.ts";
import { watchSteps } from "./steps-over.ts";
import { type ShownCall, showUserLog } from "./user-log.ts";

/**
 * Begins to use the program's storage for one build. Images from outside get names of this run's own, and so do the
 * environment and the working containers: so that it can be told whose what a killed run leaves is.
 */
export async function openSession(
  commands: ContainersCommands,
  build: EngineBuild,
  work: SessionWorkspace,
): Promise<EngineSession> {
  assertLocal(commands, process.env);
  expectContained();
  const label = labelRun(work.run);
  const session: Session = { ...work, commands, build, label, claimed: [], stages: new Map() };
  await work.run.note(noteKeys.engine, JSON.stringify([commands.name, ...commands.options]));
  await work.run.note(noteKeys.label, label);
  const abandon = (): Promise<void> => commands.removeContainers(runContainerPrefix(label));
  let ended: Promise<void> | undefined;
  const remembered = commands.rememberStorage();
  const end = (): Promise<void> =>
    (ended ??= Promise.all([endSession(session), remembered]).then(() => undefined));
  const placed = placeImages(build);
  const begin = async (): Promise<OutsideNames> => ({
    pinned: await pinImages(session, await nameBare(session)),
    placed,
    heredocs: await findHeredocs(build, commands),
  });
  const outside = await begin().catch(async (error: unknown) => {
    await abandon();
    await end();
    throw error;
  });
  return {
    evaluateStage: (stage, run) => evaluateStage(session, stage, { ...outside, ...run }),
    runLayering: (stage, place) => runLayering({ ...session, ...outside }, stage, place),
    restoreNames: (text) => restoreNames(text, { ...session, ...outside }),
    abandon,
    end,
  };
}

/** How the engine finds images from outside. */
interface OutsideNames {
  readonly pinned: PinnedImages;
  readonly placed: PlacedImages | undefined;
  /** What is said for heredocs: that hangs on the images, too. */
  readonly heredocs: LoweredHeredocs;
}

/** Names for the environment that is there already, by its ID: it gets them with those of the images from outside. */
async function nameBare(session: Session): Promise<ReadonlyMap<Digest, readonly string[]>> {
  const { build, label } = session;
  const { bare, plan, steps } = build;
  if (bare === undefined) return new Map();
  const own = runImageName(label);
  await claim(session, [own]);
  return new Map([[bare, [cacheName(steps, plan.target), own]]]);
}

async function evaluateStage(
  session: Session,
  stage: StagePlan,
  run: OutsideNames & StageRun,
): Promise<Digest> {
  const { bare, plan, steps } = session.build;
  const id = (stage === plan.target ? bare : undefined) ?? (await takeStage(session, stage, run));
  await session.run.use(cacheName(steps, stage));
  session.stages.set(stage.index, id);
  return id;
}

/** The image that is known to be the stage's, where the engine has it, else what it makes. */
async function takeStage(
  session: Session,
  stage: StagePlan,
  { known, ...run }: OutsideNames & StageRun,
): Promise<Digest> {
  const { build, label } = session;
  // While the run lasts, its names tell others that the image is in use.
  const own = stage.kind === "layered" ? runImageName(label) : stageImageName(label, stage.index);
  await claim(session, [own]);
  const names = [cacheName(build.steps, stage), own];
  if (known !== undefined && (await keepImage(known, names, session))) return known;
  return makeNamed(() => makeStage(session, stage, run), names, session);
}

function makeStage(
  session: Session,
  stage: StagePlan,
  { progress, ...names }: OutsideNames & Partial<StepTelling>,
): Promise<Digest> {
  const { build, stages } = session;
  const outside = { ...names, mounted: nameImages(build.images) };
  const used = { ...outside, stages: nameImages(stages) };
  const sent = listStageSteps(build.plan, { ...used, digests: build.unseen.digests });
  const shown = { sent, progress, restoreNames: restoring({ ...session, ...names }) };
  return runBuild(createStageCall(build, stage, used), { session, shown });
}

interface BuildTelling {
  readonly session: Session;
  readonly shown: ShownCall;
  readonly onStarted?: CallContext["onStarted"];
  readonly onContained?: CallContext["onContained"];
}

/** With a shell where a step fails, if the user asked for that. */
async function runBuild(
  call: BuildCall,
  { session, shown, onStarted, onContained }: BuildTelling,
): Promise<Digest> {
  const told = { onStarted, ...(onContained && { onContained }) };
  const context = { ...callContext(session, shown), ...told };
  if (session.build.steps.onError !== "shell") return session.commands.build(call, context);
  const { buildWithShell } = await import("./shell.ts");
  return buildWithShell(call, context, session);
}

/** How often an image is made that another process removes before it has a name. */
const attempts = 3;

async function makeNamed(
  make: () => Promise<Digest>,
  names: readonly string[],
  session: Session,
): Promise<Digest> {
  for (let attempt = 1; ; attempt += 1) {
    const id = await make();
    const isNamed = await keepImage(id, names, session);
    if (isNamed) return id;
    if (attempt === attempts) throw removedMeanwhile(id);
    session.reporter.warn(storageBusy);
  }
}

function removedMeanwhile(id: Digest): XbuildError {
  const message = `the image ${id} was removed from the engine's storage before it had a name`;
  return new XbuildError("engine-failed", message, {
    hint: "build again when no other program prunes images there",
  });
}

async function runLayering(
  session: Session & OutsideNames,
  stage: LayeredStage,
  { progress, environment, onStarted, onStepsOver, ...directory }: LayeringRun,
): Promise<Digest> {
  const { build, label } = session;
  const names = [configImageName(label)];
  await claim(session, names);
  const images = describeImages(session, stage, environment);
  const call = createLayeringCall(build, stage, { images, directory, names });
  const sent = listLayeringSteps(build.plan, stage, images);
  const [ownImage] = names;
  // A step that failed may be begun again in a shell.
  const isSure = build.steps.onError !== "shell";
  const lastStage = { number: 2, name: images.lastName ?? "" };
  const watched = isSure && onStepsOver ? watchSteps(lastStage, onStepsOver) : undefined;
  const shown = {
    sent,
    ownImage,
    progress,
    restoreNames: restoring(session),
    onStage: watched?.onStage,
  };
  return runBuild(call, { session, shown, onStarted, onContained: watched?.onContained });
}

function describeImages(
  { build, label, stages, pinned, placed, heredocs }: Session & OutsideNames,
  stage: LayeredStage,
  { config, ...platform }: ImageConfig,
): LayeringImages {
  const others = [...nameImages(stages)].filter(([index]) => index !== stage.index);
  return {
    environment: runImageName(label),
    lastName: `xbuild-last-${randomBytes(16).toString("hex")}`,
    pinned,
    stages: new Map(others),
    variables: new Set((config?.Env ?? []).map((one) => one.split("=", 1)[0] ?? "")),
    epoch: build.steps.epoch,
    heredocs,
    placed,
    platform: placed === undefined ? undefined : namePlatform(platform),
  };
}

function callContext({ reporter, signal, run }: Session, shown: ShownCall): CallContext {
  return {
    log: showUserLog(reporter.log, shown),
    signal,
    directory: run.directory,
    note: (process) => run.note(noteKeys.process, process),
    warn: reporter.warn,
  };
}

function restoring(session: Session & OutsideNames): ShownCall["restoreNames"] {
  const { label, build } = session;
  return (text) =>
    restoreNames(text, session).replaceAll(runImageName(label), build.plan.target.name);
}
