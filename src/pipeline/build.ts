import { deliverImage, findLoaded, UselessLayersError } from "../delivery/delivery.ts";
import { XbuildError } from "../errors.ts";
import type { Digest, Image } from "../oci/oci.ts";
import type { BuildPlan } from "../plan/plan.ts";
import { cleanUpDeadRuns } from "./dead-runs.ts";
import { findBuilt, keepNames } from "./find-built.ts";
import type { BuildRequest, BuildResult, Continued } from "./request.ts";
import { resolveInputs } from "./resolve-inputs.ts";
import { announceResult, describeResult } from "./result.ts";
import type { EarlierImages } from "./steps.ts";
import type { Build, BuildRunWorkspace, BuildWorkspace } from "./workspace.ts";

/**
 * Builds the target of `plan`: from the user's request to an image in the store and wherever else
 * it shall go. Nothing that fails touches a tag or a destination.
 * @throws XbuildError
 */
export async function buildImage(
  plan: BuildPlan,
  request: BuildRequest,
  work: BuildWorkspace,
): Promise<BuildResult | Continued> {
  const elsewhere = await cleanUpDeadRuns(work);
  if (elsewhere !== undefined) return elsewhere;
  const [build, loaded] = await Promise.all([
    resolveInputs(plan, request, work),
    findLoadedEarly(request, work),
  ]);
  const useless = new Set<Digest>();
  const built = request.steps.noCache ? undefined : await findBuilt(build.inputs, work);
  if (built !== undefined && (await deliverBuilt(built, { request, loaded, useless }, work))) {
    return describeResult(built, { request, upToDate: true }, work);
  }
  const status = await work.enterNamespace?.();
  return status === undefined ? buildNew(build, useless, work) : { continuedElsewhere: status };
}

/**
 * A previous image in a registry that was made of the same inputs, else what the build's steps write. Where a layer
 * that was kept proves to be nowhere any more, it is built once more without being offered that layer.
 */
async function buildNew(
  build: Build,
  useless: Set<Digest>,
  work: BuildWorkspace,
): Promise<BuildResult> {
  // Start-up time decides how fast a build is that has nothing to do.
  const steps = await import("./steps.ts");
  return steps.withRun(work.store, async (run) => {
    const inRun = { ...work, run };
    const remotes = await steps.readRemotes(build.request, inRun);
    const adopted = await steps.adoptPrevious(build, { remotes, useless }, inRun);
    if (adopted !== undefined) return adopted;
    await steps.tellReasons(build, inRun);
    const pulled = await steps.pullPending(build, inRun);
    const attempt = (): Promise<BuildResult> => runBuild(pulled, { remotes, useless }, inRun);
    return steps.withoutUseless({ request: build.request, useless }, attempt, inRun);
  });
}

/** The steps in the engine, what they wrote as an image, and where it goes. */
async function runBuild(
  build: Build,
  earlier: EarlierImages,
  work: BuildRunWorkspace,
): Promise<BuildResult> {
  const { request } = build;
  const steps = await import("./steps.ts");
  const previous = await steps.findPrevious(request, earlier, work);
  const { image, layers } = await steps.withSession(build, work, async (session) => {
    const stages = await steps.evaluateStages(build, session, work);
    const bases = await steps.findBases(build, { previous, stages }, work);
    const prepared = await steps.prepareLayers(build, { previous, bases }, work);
    const { directory } = prepared;
    const configs = await steps.runLayering(build, { session, directory }, work);
    const confirmed = await steps.confirmInputs(build, work);
    return steps.collectImage(confirmed, { previous, bases, prepared, configs }, work);
  });
  await deliverImage(image, { request: request.delivery, isChecked: true }, work);
  return describeResult(image, { request, upToDate: false, layers }, work);
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
    await keepNames(image, request.delivery, work);
    await deliverImage(image, { request: request.delivery, loaded }, work);
    return true;
  } catch (error) {
    if (!(error instanceof XbuildError)) throw error;
    if (error instanceof UselessLayersError) for (const one of error.digests) useless.add(one);
    else if (error.code !== "image-not-found") throw error;
    return false;
  }
}
