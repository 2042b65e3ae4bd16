import {
  type Digest,
  type ImageConfig,
  isSamePlatform,
  namePlatform,
  parseConfig,
  renderPlatform,
  type WantedPlatform,
} from "../../oci/oci.ts";
import { imageKey, type LayeredStage, type StagePlan } from "../../plan/plan.ts";
import type {
  EngineBuild,
  EngineSession,
  LayersDirectory,
  SessionWorkspace,
  StageConfigs,
} from "../model.ts";
import { noteKeys } from "../notes.ts";
import { describeVersion } from "../versions.ts";
import { cacheName, createLayeringCall, createStageCall } from "./calls.ts";
import type { BuildCall, CallContext, ContainersCommands, StoredImage } from "./commands.ts";
import { findHeredocs } from "./find-heredocs.ts";
import type { LoweredHeredocs } from "./lower-heredocs.ts";
import type { LayeringImages } from "./lower.ts";
import type { PinnedImages, PlacedImages } from "./stage-names.ts";
import { storageBusy } from "./storage-races.ts";
import { XbuildError } from "../../errors.ts";
import { addNames, dropNames, keepImage, releaseNames } from "./names.ts";
import {
  configImageName,
  labelRun,
  isPinName,
  pinName,
  runContainerPrefix,
  runImageName,
  stageImageName,
} from "./run-names.ts";

/** What the parts of a session share. */
interface Session extends SessionWorkspace {
  readonly commands: ContainersCommands;
  readonly build: EngineBuild;
  /** What names the run in the engine's storage. */
  readonly label: string;
  /** Names that are removed at the end, however it comes. */
  readonly claimed: string[];
  /** IDs of the stages that were evaluated, by their indexes. */
  readonly stages: Map<number, Digest>;
}

/**
 * Begins to use the program's storage for one build. Images from outside get names of this run's own, and so do the
 * environment and the working containers: so that it can be told whose what a killed run leaves is.
 */
export async function openSession(
  commands: ContainersCommands,
  build: EngineBuild,
  work: SessionWorkspace,
): Promise<EngineSession> {
  const label = labelRun(work.run);
  const session: Session = { ...work, commands, build, label, claimed: [], stages: new Map() };
  await work.run.note(noteKeys.engine, JSON.stringify([commands.name, ...commands.options]));
  await work.run.note(noteKeys.label, label);
  const abandon = (): Promise<void> => commands.removeContainers(runContainerPrefix(label));
  const end = async (): Promise<void> => {
    const names = session.claimed.splice(0);
    const lonely = await listLonely(names, session);
    try {
      if (lonely.length > 0) await releaseNames(lonely, label, session);
    } finally {
      await dropNames(
        names.filter((name) => !lonely.includes(name)),
        session,
      );
    }
  };
  const placed = placeImages(build);
  const begin = async (): Promise<OutsideNames> => ({
    pinned: await pinImages(session),
    placed,
    heredocs: await findHeredocs(build, commands),
  });
  const outside = await begin().catch(async (error: unknown) => {
    await abandon();
    await end();
    throw error;
  });
  return {
    evaluateStage: (stage, known) => evaluateStage(session, stage, { ...outside, known }),
    runLayering: (stage, directory) => runLayering({ ...session, ...outside }, stage, directory),
    restoreNames: (text) => restoreNames(text, { ...session, ...outside }),
    abandon,
    end,
  };
}

/** What a stage comes to, where nothing has to be done for that. */
interface Known {
  readonly known: Digest | undefined;
}

/** How the engine finds images from outside. */
interface OutsideNames {
  readonly pinned: PinnedImages;
  readonly placed: PlacedImages | undefined;
  /** What is said for heredocs: that hangs on the images, too. */
  readonly heredocs: LoweredHeredocs;
}

/** Written down first: what is taken before its name is known to the next cleaner would stay. */
async function claim(session: Session, names: readonly string[]): Promise<void> {
  session.claimed.push(...names);
  for (const name of names) await session.run.note(noteKeys.name, name);
}

/** One that the file names by its ID keeps that: it may have no other name, and would go with ours. */
async function pinImages(session: Session): Promise<PinnedImages> {
  const images = [...session.build.images];
  const named = images.filter(([key]) => !/^(?:sha256:.*|[0-9a-f]{3,64})$/.test(nameOfKey(key)));
  const hidden = await listHidden(session);
  const pinned = new Map(
    named.map(([name], index) => [name, pinName(session.label, index)] as const),
  );
  await claim(session, [...pinned.values()]);
  for (const [name, id] of named) await addNames(id, [pinned.get(name) ?? name], session);
  return new Map([...pinned, ...hidden]);
}

/**
 * Names of ours of images from outside that have no other: one of a manifest list would go with it. Only a platform
 * leads to such.
 */
async function listLonely(
  names: readonly string[],
  { commands, build, label }: Session,
): Promise<readonly string[]> {
  const pins = new Set(names.filter((name) => isPinName(name, label)));
  if (build.platforms.size === 0 || pins.size === 0) return [];
  const images = await listStored(commands);
  // Where it cannot be known, no image goes with a name.
  if (images === undefined) return [...pins];
  const kept = new Set(
    images.flatMap(({ id, name }) => (name === undefined || names.includes(name) ? [] : [id])),
  );
  return images.flatMap(({ id, name }) =>
    name !== undefined && pins.has(name) && !kept.has(id) ? [name] : [],
  );
}

/** undefined where the engine does not tell. */
async function listStored({
  listImages,
}: ContainersCommands): Promise<readonly StoredImage[] | undefined> {
  try {
    return await listImages();
  } catch (error) {
    if (!(error instanceof XbuildError) || error.code !== "engine-failed") throw error;
    return undefined;
  }
}

/** The image's name in the file, without the platform that stands behind it (`imageKey`). */
function nameOfKey(key: string): string {
  return key.split(" for ", 1)[0] ?? key;
}

/** IDs of images that the engine does not find by name and platform. */
async function listHidden({ commands, build }: Session): Promise<PinnedImages> {
  const special = [...build.platforms].filter(([, platform]) => isSpecial(platform));
  if (special.length === 0) return new Map();
  const { has } = describeVersion(commands.name, await commands.version());
  if (has("imageVariants")) return new Map();
  const ids = nameImages(build.images);
  return new Map(special.map(([key]) => [key, ids.get(key) ?? key]));
}

/** Whether it says more than its architecture alone would mean. */
function isSpecial(platform: WantedPlatform): boolean {
  const { os, architecture } = platform;
  return !isSamePlatform({ os, architecture }, platform);
}

function placeImages({ platforms, images, steps }: EngineBuild): PlacedImages | undefined {
  if (platforms.size === 0) return undefined;
  return {
    platforms: new Map([...platforms].map(([key, one]) => [key, renderPlatform(one)])),
    ids: nameImages(images),
    isCalled: steps.platform !== undefined,
  };
}

async function evaluateStage(
  session: Session,
  stage: StagePlan,
  { known, ...names }: OutsideNames & Known,
): Promise<Digest> {
  const { build, label, stages } = session;
  const outside = { ...names, mounted: nameImages(build.images) };
  // While the run lasts, its names tell others that the image is in use.
  const own = stage.kind === "layered" ? runImageName(label) : stageImageName(label, stage.index);
  await claim(session, [own]);
  const make = (): Promise<Digest> =>
    runBuild(createStageCall(build, stage, { ...outside, stages: nameImages(stages) }), session);
  const lasting = cacheName(build.steps, stage);
  const id = await makeNamed(
    known === undefined ? make : () => Promise.resolve(known),
    [lasting, own],
    session,
  );
  await session.run.use(lasting);
  stages.set(stage.index, id);
  return id;
}

/** With a shell where a step fails, if the user asked for that. */
async function runBuild(call: BuildCall, session: Session): Promise<Digest> {
  const context = callContext(session);
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
  directory: LayersDirectory,
): Promise<StageConfigs> {
  const { commands, build, label, stages } = session;
  const environment = await readImageConfig(commands, stages.get(stage.index));
  const names = [configImageName(label)];
  await claim(session, names);
  const images = describeImages(session, stage, environment);
  const call = createLayeringCall(build, stage, { images, directory, names });
  const id = await runBuild(call, session);
  return { environment, layering: await readImageConfig(commands, id) };
}

function describeImages(
  { build, label, stages, pinned, placed, heredocs }: Session & OutsideNames,
  stage: LayeredStage,
  { config, ...platform }: ImageConfig,
): LayeringImages {
  const others = [...nameImages(stages)].filter(([index]) => index !== stage.index);
  return {
    environment: runImageName(label),
    pinned,
    stages: new Map(others),
    variables: new Set((config?.Env ?? []).map((one) => one.split("=", 1)[0] ?? "")),
    epoch: build.steps.epoch,
    heredocs,
    placed,
    platform: placed === undefined ? undefined : namePlatform(platform),
  };
}

/** Image IDs as a Containerfile has them. */
function nameImages<T>(images: ReadonlyMap<T, Digest>): ReadonlyMap<T, string> {
  return new Map([...images].map(([key, id]) => [key, id.replace(/^sha256:/, "")]));
}

function callContext({ reporter, signal, run }: Session): CallContext {
  return {
    log: reporter.log,
    signal,
    directory: run.directory,
    note: (process) => run.note(noteKeys.process, process),
    warn: reporter.warn,
  };
}

async function readImageConfig(
  { readConfig }: ContainersCommands,
  id: Digest | undefined,
): Promise<ImageConfig> {
  if (id === undefined) throw new RangeError("the stage was not evaluated");
  return parseConfig(await readConfig(id));
}

function restoreNames(
  text: string,
  { build: { plan, images }, pinned, stages }: Session & OutsideNames,
): string {
  const nameOf = (index: number): string => plan.graph.stages[index]?.stage.name ?? String(index);
  const built = plan.dependencies.built.map((one) => [imageKey(one), nameOf(one.index)] as const);
  const stageNames = new Map(built);
  const names = [
    ...[...pinned, ...nameImages(images)].map(([key, name]): [string, string] => [
      name,
      stageNames.get(key) ?? nameOfKey(key),
    ]),
    ...[...nameImages(stages)].map(([index, id]): [string, string] => [id, nameOf(index)]),
  ];
  return names.reduce((restored, [ours, theirs]) => restored.replaceAll(ours, theirs), text);
}
