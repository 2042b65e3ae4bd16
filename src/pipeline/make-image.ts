import { arrangeBases, nameBases } from "./arrange-bases.ts";
import { findBases } from "./bases.ts";
import { type CollectedImage, collectImage } from "./collect-image.ts";
import { confirmInputs } from "./confirm-inputs.ts";
import { keepingOutput } from "./keep-output.ts";
import { loadStages } from "./load-stages.ts";
import { type EarlierImages, findPrevious } from "./previous.ts";
import { evaluateStages, runTarget, withSession } from "./run-steps.ts";
import type { Build, BuildRunWorkspace } from "./workspace.ts";

/** Runs a stage's steps in the engine, and makes an image of what they wrote, which the store then has. */
export async function makeImage(
  build: Build,
  earlier: EarlierImages,
  work: BuildRunWorkspace,
): Promise<CollectedImage> {
  const previous = await findPrevious(build, earlier, work);
  await loadStages(build, work);
  return withSession(build, work, async (session) => {
    const ids = await evaluateStages(build, session, work);
    const bases = await findBases(build, previous, work);
    const arranged = await arrangeBases(bases, nameBases(build.plan), work);
    const before = { previous, bases, arranged };
    const result = await runTarget(build, { session, ids, ...before }, work);
    const collect = async (): Promise<CollectedImage> =>
      collectImage(await confirmInputs(build, work), result, work);
    if (result.made.kind === "engine") return collect();
    return keepingOutput({ build, prepared: result.made.prepared }, collect, work);
  });
}
