import type { BuildPlan } from "../plan/model.ts";
import type { Store } from "../store/paths.ts";
import { cleanDeadRuns, withRun } from "./cleanup.ts";
import { collectImage } from "./collect.ts";
import { deliverImage } from "./deliver.ts";
import type { BuildInputs } from "./inputs.ts";
import { prepareLayers } from "./layers.ts";
import { findPreviousImages } from "./previous.ts";
import type { BuildPorts, BuildRequest, BuildResult } from "./request.ts";
import { describeResult } from "./result.ts";
import { buildEnvironment, runLayering } from "./steps.ts";

/** Runs the build's steps in the engine and makes an image of what they wrote. */
export async function buildAnew(
  store: Store,
  request: BuildRequest,
  plan: BuildPlan,
  ports: BuildPorts,
  inputs: BuildInputs,
): Promise<BuildResult> {
  await cleanDeadRuns(store, ports);
  const built = await withRun(store, ports, async (run) => {
    const { previous, last } = await findPreviousImages(store, request, run);
    const images = await buildEnvironment(request, plan, ports, run, inputs.images);
    const layers = await prepareLayers(store, request, plan, run, previous);
    const configs = await runLayering(request, plan, ports, run, images, layers.directory);
    const made = { store, request, plan, ports, run, inputs, previous, last, configs, layers };
    return collectImage(made);
  });
  await deliverImage(store, request, ports, built.image);
  return describeResult(request, built.image, { upToDate: false, layers: built.layers });
}
