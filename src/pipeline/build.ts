import { deliverImage, findLoaded, UselessLayersError } from "../delivery/delivery.ts";
import { XbuildError } from "../errors.ts";
import type { Digest, Image } from "../oci/oci.ts";
import type { BuildPlan } from "../plan/plan.ts";
import { cleanUpDeadRuns } from "./dead-runs.ts";
import { findBuilt, keepNames } from "./find-built.ts";
import { findCurrent } from "./find-current.ts";
import { keepRef, keepRefs } from "./keep-refs.ts";
import type { BuildRequest, BuildResult, Continued } from "./request.ts";
import { announceResult, describeResult } from "./result.ts";
import type { EarlierImages, StageBuilds, StageSources } from "./steps.ts";
import { createStageInputs, type StageInputs } from "./stage-inputs.ts";
import { inBriefStep, nameStageLines } from "../reporter.ts";
import { createShared } from "./shared.ts";
import type { Build, BuildRunWorkspace, BuildWorkspace, CallerWorkspace } from "./workspace.ts";

/**
 * Builds the target of `plan`: from the user's request to an image in the store and wherever else
 * it shall go. Nothing that fails touches a tag or a destination.
 * @throws XbuildError
 */
export async function buildImage(
  plan: BuildPlan,
  request: BuildRequest,
  caller: CallerWorkspace,
): Promise<BuildResult | Continued> {
  const work = { ...caller, shared: caller.shared ?? createShared(1) };
  const elsewhere = await cleanUpDeadRuns(work);
  if (elsewhere !== undefined) return elsewhere;
  const inputs = createStageInputs({ plan, request }, work);
  const useless = new Set<Digest>();
  const look = async (): Promise<Looked> => {
    const [build, loaded] = await Promise.all([
      inputs.resolve(plan.target.index),
      findLoadedEarly(request, work),
    ]);
    const built = request.steps.noCache ? undefined : await findCurrent(build, inputs, work);
    return { build, loaded, built };
  };
  const { build, loaded, built } = await inBriefStep("Looking for changes", look, work);
  if (built !== undefined && (await deliverBuilt(built, { request, loaded, useless }, work))) {
    await keepRefs(build, { image: built, inputs }, work);
    return describeResult(built, { request, upToDate: true }, work);
  }
  const status = await work.enterNamespace?.();
  if (status !== undefined) return { continuedElsewhere: status };
  return buildNew(build, { inputs, useless }, work);
}

interface Looked {
  readonly build: Build;
  readonly loaded: Awaited<ReturnType<typeof findLoaded>> | undefined;
  /** What the same build came to before. */
  readonly built: Image | undefined;
}

interface Sources {
  readonly inputs: StageInputs;
  /** Layers that prove to be nowhere any more are added. */
  readonly useless: Set<Digest>;
}

interface Earlier extends Pick<StageSources, "remotes"> {
  /** What came of taking one of them for the result. */
  readonly adopted: BuildResult | undefined;
}

/**
 * A previous image in a registry that was made of the same inputs, else what the build's steps write. Where a layer
 * that was kept proves to be nowhere any more, it is built once more without being offered that layer.
 */
async function buildNew(
  build: Build,
  { inputs, useless }: Sources,
  work: BuildWorkspace,
): Promise<BuildResult> {
  // Start-up time decides how fast a build is that has nothing to do.
  const steps = await inBriefStep("Starting", () => import("./steps.ts"), work);
  const make = async (inRun: BuildRunWorkspace): Promise<BuildResult> => {
    const look = async (): Promise<Earlier> => {
      const remotes = await steps.readRemotes(build.request, inRun);
      const adopted = await steps.adoptPrevious(build, { remotes, useless }, inRun);
      if (adopted === undefined) await steps.tellReasons(build, inRun);
      return { remotes, adopted };
    };
    const { remotes, adopted } = await inBriefStep("Looking for previous images", look, work);
    if (adopted !== undefined) return adopted;
    const attempt = (): Promise<BuildResult> =>
      buildTarget(build, { inputs, remotes, useless }, inRun);
    return steps.withoutUseless({ request: build.request, useless }, attempt, inRun);
  };
  const result = await steps.withRun(work.store, (run) =>
    steps.withAnswers({ ...work, run }, make),
  );
  await inBriefStep("Tidying up", () => steps.tidyUp(work), work);
  return result;
}

/** The stages that the target uses, then the target itself, and where it goes. */
async function buildTarget(
  build: Build,
  sources: StageSources & Sources,
  work: BuildRunWorkspace,
): Promise<BuildResult> {
  const steps = await import("./steps.ts");
  await inBriefStep("Checking the platform", () => steps.assertRunnable(build, work), work);
  await work.beforeSteps?.();
  const stages = steps.createStageBuilds(sources, work);
  try {
    if (work.shared.hasTargets) return await deliverMade(build, { stages }, work);
    const complete = await stages.complete(build);
    return (
      (await deliverEqual(complete, sources, work)) ?? (await runBuild(complete, sources, work))
    );
  } finally {
    await stages.settle();
  }
}

/** Other targets of the command may have the same image as a stage of theirs: it is made once, and gets its names here. */
async function deliverMade(
  build: Build,
  { stages }: { readonly stages: StageBuilds },
  work: BuildRunWorkspace,
): Promise<BuildResult> {
  const { request } = build;
  const { adaptImage } = await import("./steps.ts");
  const made = await stages.make(build.plan.target.index);
  const complete = made.layers === undefined ? build : await stages.complete(build);
  const { image, ...outcome } = await adaptImage(complete, made, work);
  await deliverImage(image, { request: request.delivery }, work);
  return describeResult(image, { request, ...outcome }, work);
}

/** What the target came to when the stages that it uses were what they are now, whatever they are made of. */
async function deliverEqual(
  build: Build,
  { useless }: Sources,
  work: BuildRunWorkspace,
): Promise<BuildResult | undefined> {
  const { request, inputs } = build;
  if (inputs.stages.size === 0 || request.steps.noCache) return undefined;
  const image = await findBuilt(inputs.exactKey, work);
  if (image === undefined) return undefined;
  if (!(await deliverBuilt(image, { request, loaded: undefined, useless }, work))) return undefined;
  const { rememberKeys } = await import("./steps.ts");
  await rememberKeys(build, image, work);
  await keepRef(build, { image, key: inputs.key ?? inputs.exactKey }, work);
  return describeResult(image, { request, upToDate: true, stages: inputs.stages }, work);
}

/** The steps in the engine, what they wrote as an image, and where it goes. */
async function runBuild(
  build: Build,
  { remotes, useless }: EarlierImages,
  work: BuildRunWorkspace,
): Promise<BuildResult> {
  const { request, plan, inputs } = build;
  const steps = await import("./steps.ts");
  const { reporter } = work;
  const inStage =
    inputs.stages.size === 0
      ? work
      : { ...work, reporter: nameStageLines(reporter, plan.target.name) };
  const earlier = { remotes, useless };
  const portable = {
    make: () => work.shared.limit(() => steps.makeImage(build, earlier, inStage)),
    findOwn: () => steps.findPrevious(build, earlier, work),
  };
  const { image, layers, previous } = await steps.makePortable(build, portable, inStage);
  await deliverImage(image, { request: request.delivery, isChecked: true }, work);
  const outcome = { request, upToDate: false, layers, previous, stages: inputs.stages };
  return describeResult(image, outcome, work);
}

/** A registry that is asked may give a name of ours to another image: then only the end tells. */
function findLoadedEarly(
  { steps, delivery }: BuildRequest,
  work: BuildWorkspace,
): ReturnType<typeof findLoaded> | undefined {
  const asksRegistry = steps.noCache || steps.pull === "always" || steps.pull === "newer";
  return asksRegistry ? undefined : findLoaded(delivery, work);
}

interface BuiltDelivery {
  readonly request: BuildRequest;
  readonly loaded: Awaited<ReturnType<typeof findLoaded>> | undefined;
  /** Layers that proved to be nowhere any more are added. */
  readonly useless: Set<Digest>;
}

/** @returns whether it went well: a prune may have taken the image, or a registry one of its layers */
async function deliverBuilt(
  image: Image,
  { request, loaded, useless }: BuiltDelivery,
  work: BuildWorkspace,
): Promise<boolean> {
  try {
    await announceResult(image, { request, upToDate: true }, work);
    const renamed = await keepNames(image, request.delivery, work);
    await deliverImage(image, { request: request.delivery, loaded, renamed }, work);
    return true;
  } catch (error) {
    if (!(error instanceof XbuildError)) throw error;
    if (error instanceof UselessLayersError) for (const one of error.digests) useless.add(one);
    else if (error.code !== "image-not-found") throw error;
    return false;
  }
}
