import { arrangeBases, nameBases } from "./arrange-bases.ts";
import { findBases } from "./bases.ts";
import { type CollectedImage, collectImage } from "./collect-image.ts";
import { lookAhead } from "../delivery/delivery.ts";
import { confirmInputs } from "./confirm-inputs.ts";
import { keepingOutput } from "./keep-output.ts";
import { rememberStages } from "./known-stages.ts";
import { loadStages } from "./load-stages.ts";
import { type EarlierImages, findPrevious } from "./previous.ts";
import { inBriefStep } from "../reporter.ts";
import { evaluateStages, runTarget, withSession } from "./run-steps.ts";
import type { LayersBefore } from "./prepare-layers.ts";
import type { Build, BuildRunWorkspace } from "./workspace.ts";

/** Runs a stage's steps in the engine, and makes an image of what they wrote, which the store then has. */
export async function makeImage(
  build: Build,
  earlier: EarlierImages,
  work: BuildRunWorkspace,
): Promise<CollectedImage> {
  const previous = await inBriefStep(
    "Previous images of the store",
    () => findPrevious(build, earlier, work),
    work,
  );
  lookAhead(previous, build.request.delivery.pushes, work);
  await loadStages(build, work);
  return withSession(build, work, async (session) => {
    const stages = await evaluateStages(build, session, work);
    const arrange = async (): Promise<LayersBefore> => {
      const bases = await findBases(build, previous, work);
      return { previous, bases, arranged: await arrangeBases(bases, nameBases(build.plan), work) };
    };
    const before = await inBriefStep("Finding the layers below", arrange, work);
    const result = await runTarget(build, { session, stages, ...before }, work);
    work.answers?.settle();
    const confirm = async (): Promise<Build> => {
      const confirmed = await confirmInputs(build, work);
      await rememberStages(confirmed, stages, work);
      return confirmed;
    };
    // Neither needs the other, and each waits for the disk now and then.
    const collect = async (): Promise<CollectedImage> => {
      const confirmed = inBriefStep("Looking for changes meanwhile", confirm, work);
      try {
        return await collectImage({ ...build, confirmed }, result, work);
      } finally {
        // Where it fails the engine may still be at work.
        await Promise.allSettled([result.configs]);
      }
    };
    if (result.made.kind === "engine") return collect();
    return keepingOutput({ build, prepared: result.made.prepared }, collect, work);
  });
}
