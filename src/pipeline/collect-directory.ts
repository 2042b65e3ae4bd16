import { lstat } from "node:fs/promises";
import {
  type OutputOptions,
  parseContainerfile,
  resolveStages,
} from "../containerfile/containerfile.ts";
import { deliverImage } from "../delivery/delivery.ts";
import { type Image, type ImageConfig, renderPlatform } from "../oci/oci.ts";
import { type BuildPlan, planStage } from "../plan/plan.ts";
import { withRun } from "../store/store.ts";
import { arrangeBases } from "./arrange-bases.ts";
import { type NamedImage, readBases } from "./collect-bases.ts";
import { collectImage } from "./collect-image.ts";
import { cleanUpDeadRuns } from "./dead-runs.ts";
import type { MadeLayers, StepsResult } from "./prepare-layers.ts";
import { findPrevious } from "./previous.ts";
import { readRemotes } from "./read-remotes.ts";
import type { BuildRequest, BuildResult } from "./request.ts";
import type { BuildInputs } from "./resolve-inputs.ts";
import { describeResult } from "./result.ts";
import { createShared } from "./shared.ts";
import type { Build, BuildRunWorkspace, CallerWorkspace } from "./workspace.ts";

/** An output directory that somebody wrote, and what OUTPUT would say of it. */
export interface CollectRequest extends BuildRequest {
  /** Absolute. */
  readonly output: string;
  readonly options: Pick<OutputOptions, "reuse" | "compression">;
  /** OUTPUT's --from, in order. */
  readonly from: readonly NamedImage[];
}

/**
 * Makes an image of an output directory, as a build does when its layering steps have ended. No engine is asked for
 * anything but to load the image. The directory is read alone. Errors: as `buildImage`
 */
export async function collectDirectory(
  request: CollectRequest,
  caller: CallerWorkspace,
): Promise<BuildResult> {
  const work = { ...caller, shared: createShared(1) };
  await cleanUpDeadRuns({ ...work, engine: undefined });
  return withRun(work.store, async (run) => {
    const inRun = { ...work, run };
    const build = describeDirectory(request);
    const steps = await describeSteps(build, request, inRun);
    const { image, layers, previous } = await collectImage(build, steps, inRun);
    await deliverImage(image, { request: request.delivery, isChecked: true }, inRun);
    return describeResult(image, { request, upToDate: false, layers, previous }, inRun);
  });
}

/** The build that the directory might be of: one that depends on nothing that is known. */
export function describeDirectory(request: BuildRequest): Build {
  return { plan: planNothing(request), request, inputs: noInputs };
}

/** As if this were the file: its stage has a name of its own, so that no build of the same image has its state. */
const text = "FROM scratch AS collect\nOUTPUT /layers\n";

function planNothing({ reuse }: BuildRequest): BuildPlan {
  const containerfile = parseContainerfile(new TextEncoder().encode(text), "collect");
  const platform = renderPlatform(reuse.platform);
  const options = { buildArgs: new Map(), buildContexts: new Set<string>() };
  const graph = resolveStages(containerfile, {
    ...options,
    targetPlatform: platform,
    buildPlatform: platform,
  });
  return planStage(containerfile, graph, graph.target);
}

const noInputs: BuildInputs = {
  key: undefined,
  exactKey: undefined,
  portableKey: undefined,
  isPublic: false,
  parts: {},
  images: new Map(),
  keys: new Map(),
  stages: new Map(),
  pending: new Set(),
  placed: new Set(),
  sources: new Map(),
  facts: new Map(),
  reads: [],
  directories: new Map(),
  arguments: new Map(),
  secrets: [],
};

/** What the layering steps of such a build would have come to. */
async function describeSteps(
  build: Build,
  request: CollectRequest,
  work: BuildRunWorkspace,
): Promise<StepsResult> {
  const remotes = await readRemotes(request, work);
  const previous = await findPrevious(build, { remotes, useless: new Set() }, work);
  const bases = await readBases(request.from, request.reuse, work);
  const config = emptyConfig(request);
  return {
    previous,
    bases,
    arranged: await arrangeBases(
      bases,
      request.from.map(({ text: name }) => name),
      work,
    ),
    configs: { environment: config, layering: config },
    made: await describeOutput(build.plan, request),
  };
}

async function describeOutput(
  { target }: BuildPlan,
  { output, options }: CollectRequest,
): Promise<MadeLayers> {
  if (target.kind === "plain") throw new RangeError("the stage has an OUTPUT");
  const { dev, ino } = await lstat(output, { bigint: true });
  const directory = { root: output, output, inputBlobs: [], identity: { dev, ino } };
  const prepared = { directory, files: new Map() };
  const made = { output: { ...target.output, ...options }, prepared, lasts: true };
  return { kind: "directory", ...made };
}

/** Of an environment in which nothing is said. */
function emptyConfig({ reuse: { platform } }: BuildRequest): ImageConfig {
  const rootfs: Image["config"]["rootfs"] = { type: "layers", diff_ids: [] };
  return { ...platform, rootfs };
}
