import { joinSignals } from "../system/signals.ts";
import type { PreviousImage } from "../layers/layers.ts";
import type { Digest, Image } from "../oci/oci.ts";
import type { BuildPlan } from "../plan/plan.ts";
import { inBriefStep, nameStageLines } from "../reporter.ts";
import { putRecord, withRun } from "../store/store.ts";
import { assertRunnable } from "./assert-runnable.ts";
import { evaluateShared } from "./evaluate-shared.ts";
import { tellReasons } from "./explain.ts";
import { findBuilt } from "./find-built.ts";
import { findCurrent } from "./find-current.ts";
import { keepRef } from "./keep-refs.ts";
import type { CollectedImage } from "./collect-image.ts";
import { makeImage } from "./make-image.ts";
import { makePortable } from "./make-portable.ts";
import { describeRecords } from "./records.ts";
import { addStages, pullPending } from "./resolve-inputs.ts";
import { createOnce } from "./shared.ts";
import type { StageImage, StageImages } from "./stage-images.ts";
import type { StageInputs } from "./stage-inputs.ts";
import type { Build, BuildRunWorkspace, BuildWorkspace } from "./workspace.ts";

/** The images of a file's stages, each made when somebody wants it, and once. */
export interface StageBuilds {
  /** The image of a stage; of the target, too, as other targets have it. */
  readonly make: (index: number) => Promise<StageImage>;
  /** The build when the engine has its images, and its other stages are images. */
  readonly complete: (build: Build) => Promise<Build>;
  /** Waits until nothing is built any more, however it went. */
  readonly settle: () => Promise<void>;
}

export interface StageSources {
  readonly inputs: StageInputs;
  /** Previous images of the target, elsewhere. */
  readonly remotes: readonly PreviousImage[];
  /** Layers that are nowhere any more. */
  readonly useless: ReadonlySet<Digest>;
}

/**
 * Makes the images of other stages side by side, as many at a time as --jobs says. Where one fails the others are
 * stopped, what they began is cleaned up, and the first failure is told.
 * @param work with the run of the target, which holds the images
 */
export function createStageBuilds(sources: StageSources, work: BuildRunWorkspace): StageBuilds {
  const stop = new AbortController();
  const inner = { ...work, signal: joinSignals([work.signal, stop.signal]) };
  const once = createOnce<StageImage>();
  const begun = new Set<Promise<unknown>>();
  const track = <T>(begin: Promise<T>): Promise<T> => {
    begun.add(begin);
    begin.catch((error: unknown) => stop.abort(error));
    return begin;
  };
  const complete = async (build: Build): Promise<Build> => {
    const pulled = await pullPending(build, inner);
    const stages = await makeAll(build.plan);
    const add = (): Promise<Build> => addStages(pulled, stages, inner);
    const ready = await inBriefStep("Looking at the stages", add, inner);
    await evaluateShared(ready, { inputs: sources.inputs, complete, make, track }, inner);
    return ready;
  };
  const make = (index: number): Promise<StageImage> =>
    once(String(index), () => track(shareStage(index, { ...sources, complete }, inner)));
  const makeAll = async ({ dependencies }: BuildPlan): Promise<StageImages> => {
    const images = new Map<number, Promise<StageImage>>();
    for (const { index } of dependencies.built) {
      const image = make(index);
      images.set(index, image);
      // One after another in the order of the file, whichever of them is found sooner.
      if (!work.shared.isParallel) await image;
    }
    const known = [...images].map(async ([index, image]) => [index, await image] as const);
    return new Map(await Promise.all(known));
  };
  return {
    make: (index) => make(index).catch((error: unknown) => throwCause(error, stop.signal)),
    complete: (build) => complete(build).catch((error: unknown) => throwCause(error, stop.signal)),
    settle: async () => void (await Promise.allSettled(begun)),
  };
}

/** What the others say is only that they were stopped. */
function throwCause(error: unknown, { aborted, reason }: AbortSignal): never {
  throw aborted ? reason : error;
}

interface MakeSources extends StageSources {
  readonly complete: StageBuilds["complete"];
}

/** Once for all targets and platforms of a command that use the same. */
async function shareStage(
  index: number,
  sources: MakeSources,
  work: BuildRunWorkspace,
): Promise<StageImage> {
  const build = await sources.inputs.resolveAsStage(index);
  const make = (): Promise<StageImage> => makeStage(build, sources, work);
  const { key } = build.inputs;
  if (key === undefined) return make();
  // A later attempt is made without layers that an earlier one had.
  const made = await work.shared.makeStage(`${key} ${sources.useless.size}`, make);
  await work.run.mustHold(made.image);
  return made;
}

async function makeStage(
  build: Build,
  sources: MakeSources,
  given: BuildRunWorkspace,
): Promise<StageImage> {
  const work = { ...given, reporter: nameStageLines(given.reporter, build.plan.target.name) };
  const look = async (): Promise<StageImage | undefined> => {
    const image = await findCurrent(build, sources.inputs, work);
    return takeKnown(build, { image, key: build.inputs.key, ...sources }, work);
  };
  const { noCache } = build.request.steps;
  const known = noCache ? undefined : await inBriefStep("Looking for changes", look, work);
  if (known !== undefined) return known;
  await tellReasons(build, work);
  await assertRunnable(build, work);
  const complete = await sources.complete(build);
  const equal = await findEqual(complete, sources, work);
  if (equal !== undefined) return equal;
  const made = await makeNew(complete, sources, work);
  await work.run.mustHold(made.image);
  return made;
}

/** In a run of its own, so that several can be made side by side. */
function makeNew(
  build: Build,
  { remotes, useless }: StageSources,
  work: BuildRunWorkspace,
): Promise<StageImage> {
  work.signal.throwIfAborted();
  const { target } = build.plan;
  return withRun(work.store, async (run) => {
    const inRun = { ...work, run };
    const make = (): Promise<CollectedImage> =>
      work.shared.limit(() => makeImage(build, { remotes, useless }, inRun));
    return { name: target.name, ...(await makePortable(build, { make }, inRun)) };
  });
}

/** What the stage came to when the stages that it uses were what they are now, whatever they are made of. */
async function findEqual(
  build: Build,
  { useless }: StageSources,
  work: BuildRunWorkspace,
): Promise<StageImage | undefined> {
  const { exactKey, key, stages } = build.inputs;
  if (stages.size === 0 || build.request.steps.noCache) return undefined;
  const image = await findBuilt(exactKey, work);
  const found = await takeKnown(build, { image, key: exactKey, useless }, work);
  if (found === undefined) return undefined;
  await rememberKeys(build, found.image, work);
  return { ...found, isKeyed: key !== undefined };
}

/** So that the image is found at once the next time. */
export async function rememberKeys(
  build: Build,
  image: Image,
  { store }: BuildWorkspace,
): Promise<void> {
  for (const record of describeRecords(build, image)) await putRecord(store, record);
}

interface Known extends Pick<StageSources, "useless"> {
  readonly image: Image | undefined;
  /** It was found by. */
  readonly key: Digest | undefined;
}

async function takeKnown(
  build: Build,
  { image, key, useless }: Known,
  work: BuildRunWorkspace,
): Promise<StageImage | undefined> {
  if (image === undefined || !(await work.run.hold(image))) return undefined;
  const { layers } = image.manifest;
  if (layers.some(({ digest }) => useless.has(digest))) return undefined;
  await keepRef(build, { image, key }, work);
  work.reporter.step("Stage")(
    `up to date, ${layers.length === 1 ? "1 layer" : `${layers.length} layers`}`,
  );
  return { name: build.plan.target.name, image, layers: undefined, isKeyed: true };
}
