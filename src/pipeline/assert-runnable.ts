import type { ResolvedStage } from "../containerfile/containerfile.ts";
import { errorAt, type XbuildError } from "../errors.ts";
import {
  mayBeImageId,
  normalisePlatform,
  renderPlatform,
  type WantedPlatform,
} from "../oci/oci.ts";
import type { BuildPlan } from "../plan/plan.ts";
import { findHost } from "./image-platform.ts";
import { findWanted, nameImage } from "./resolve-images.ts";
import type { Build, BuildWorkspace } from "./workspace.ts";

/**
 * Refuses steps that run programs of a platform that this machine has none for. What only the engine can know is left to
 * it: other systems, architectures that nobody here knows, images without a platform that was asked for.
 * @throws XbuildError `platform-cannot-run`, at the first such step
 */
export async function assertRunnable(
  build: Build,
  { engine }: Pick<BuildWorkspace, "engine">,
): Promise<void> {
  if (engine.isElsewhere) return;
  const { plan } = build;
  const platforms = new Map<number, WantedPlatform | undefined>();
  for (const stage of plan.dependencies.stages) {
    const { base } = stage;
    const platform = base.kind === "stage" ? platforms.get(base.index) : findPlatform(stage, build);
    platforms.set(stage.stage.index, platform);
    const at = stage.stage.instructions.findIndex(({ keyword }) => keyword === "RUN");
    if (at === -1 || platform === undefined || isHost(platform, plan)) continue;
    const { canRun } = await import("../system/can-run.ts");
    if ((await canRun(platform.architecture)) === false)
      throw refuse(build, stage, { at, platform });
  }
}

/** What the programs of a stage are for: the platform of the image at its bottom, as that says or as it was asked for. */
function findPlatform(
  { base, platform }: ResolvedStage,
  { request, inputs }: Build,
): WantedPlatform | undefined {
  if (base.kind === "built") {
    const isAsked = platform === undefined && request.steps.platform !== undefined;
    return isAsked ? request.reuse.platform : undefined;
  }
  const own = inputs.facts.get(nameImage(base, request) ?? "")?.platform;
  if (own !== undefined || base.kind !== "image" || mayBeImageId(base.name)) return own;
  return findWanted(base, request);
}

function isHost(platform: WantedPlatform, plan: BuildPlan): boolean {
  const [own, host] = [normalisePlatform(platform), normalisePlatform(findHost(plan))];
  return own.os !== "linux" || own.architecture === host.architecture;
}

interface Foreign {
  /** Which of the stage's instructions, those of triggers included. */
  readonly at: number;
  readonly platform: WantedPlatform;
}

function refuse(
  { plan, request }: Build,
  { stage, base }: ResolvedStage,
  { at, platform }: Foreign,
): XbuildError {
  const name = stage.name ?? String(stage.index);
  const message = `the stage ${name} runs programs for ${renderPlatform(platform)}, which this machine cannot`;
  const isAsked = base.kind !== "image" || findWanted(base, request) !== undefined;
  const hint = isAsked
    ? "install qemu-user-static (binfmt_misc), or let the stage run here: FROM --platform=$BUILDPLATFORM"
    : `name an image for ${renderPlatform(findHost(plan))} in place of ${base.name}, or install qemu-user-static (binfmt_misc)`;
  // A trigger stands in the base image, in front of all that the file has.
  const own = plan.graph.stages[stage.index]?.stage ?? stage;
  const triggers = stage.instructions.length - own.instructions.length;
  const { span } = own.instructions[at - triggers] ?? own.from;
  return errorAt("platform-cannot-run", message, { file: plan.containerfile.file, span, hint });
}
