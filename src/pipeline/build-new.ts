import { deliverImage } from "../delivery/delivery.ts";
import type { Digest } from "../oci/oci.ts";
import { withRun } from "../store/store.ts";
import { adoptPrevious } from "./adopt.ts";
import { findBases } from "./bases.ts";
import { collectImage } from "./collect-image.ts";
import { confirmInputs } from "./confirm-inputs.ts";
import { tellReasons } from "./explain.ts";
import { prepareLayers } from "./prepare-layers.ts";
import { findPrevious } from "./previous.ts";
import { readRemotes } from "./read-remotes.ts";
import type { BuildResult } from "./request.ts";
import { pullPending } from "./resolve-inputs.ts";
import { describeResult } from "./result.ts";
import { evaluateStages, runLayering } from "./run-steps.ts";
import { withoutUseless } from "./without-useless.ts";
import { withSession } from "./with-session.ts";
import type { Build, BuildRunWorkspace, BuildWorkspace } from "./workspace.ts";

/**
 * The story of a build that is not known to be up to date: a previous image in a registry that was made of the same
 * inputs, else what the build's steps write. Where a layer that was kept proves to be nowhere any more, it is built
 * once more without being offered that layer.
 * @param known layers that are known to be nowhere
 */
export async function buildNew(
  build: Build,
  known: ReadonlySet<Digest>,
  work: BuildWorkspace,
): Promise<BuildResult> {
  return withRun(work.store, async (run) => {
    const inRun = { ...work, run };
    const remotes = await readRemotes(build.request, inRun);
    const useless = new Set(known);
    const adopted = await adoptPrevious(build, { remotes, useless }, inRun);
    if (adopted !== undefined) return adopted;
    await tellReasons(build, inRun);
    const pulled = await pullPending(build, inRun);
    const attempt = (): Promise<BuildResult> => runBuild(pulled, { remotes, useless }, inRun);
    return withoutUseless({ request: build.request, useless }, attempt, inRun);
  });
}

/** The steps in the engine, what they wrote as an image, and where it goes. */
async function runBuild(
  build: Build,
  earlier: Parameters<typeof findPrevious>[1],
  work: BuildRunWorkspace,
): Promise<BuildResult> {
  const { request } = build;
  const previous = await findPrevious(request, earlier, work);
  const { image, layers } = await withSession(build, work, async (session) => {
    const stages = await evaluateStages(build, session, work);
    const bases = await findBases(build, { previous, stages }, work);
    const prepared = await prepareLayers(build, { previous, bases }, work);
    const configs = await runLayering(build, { session, directory: prepared.directory }, work);
    const confirmed = await confirmInputs(build, work);
    return collectImage(confirmed, { previous, bases, prepared, configs }, work);
  });
  await deliverImage(image, { request: request.delivery, isChecked: true }, work);
  return describeResult(image, { request, upToDate: false, layers }, work);
}
