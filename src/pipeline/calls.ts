import { createHash } from "node:crypto";
import type { EngineBuild, Mount } from "../engine/engine.ts";
import type { LayersDirectory } from "../layers/layers.ts";
import { epochVariable } from "../plan/plan.ts";
import { declaredNames } from "../plan/plan.ts";
import { locateStep } from "../plan/plan.ts";
import { lowerLayering, pinImages } from "../plan/plan.ts";
import type { BuildPlan, LayeringImages, PinnedImages, StageBuild } from "../plan/plan.ts";
import type { BuildRequest } from "./request.ts";

/**
 * The engine call that builds one stage, with the engine's cache. It gives no name: where the image is
 * there already, a build writes back the names that it read, and may bring back one that was removed
 * meanwhile; `tag` adds one and leaves the others alone.
 */
export function createStageCall(
  request: BuildRequest,
  plan: BuildPlan,
  stage: StageBuild,
  pinned: PinnedImages,
): EngineBuild {
  return {
    ...commonCall(request, plan),
    purpose: stage === plan.environment ? "environment" : `stage ${stage.name}`,
    text: pinImages(plan, stage, pinned),
    mode: "cached",
    names: [],
    mounts: [],
    ...passArguments(request, environmentArguments(request, plan)),
    flags: [
      ...renderContexts(request),
      ...request.flags.access,
      ...request.flags.step,
      ...request.flags.cache,
      ...(request.timestamp ? [`--timestamp=${request.epoch}`] : []),
    ],
  };
}

/** The engine call that runs the layering steps, the layers directory mounted, nothing of them committed. */
export function createLayeringCall(
  request: BuildRequest,
  plan: BuildPlan,
  images: LayeringImages,
  layers: LayersDirectory,
  names: readonly string[],
): EngineBuild {
  return {
    ...commonCall(request, plan),
    purpose: "layering steps",
    text: lowerLayering(plan, images),
    mode: "single",
    names,
    mounts: mountLayers(layers, plan.output.path),
    ...passArguments(request, layeringArguments(request, plan)),
    flags: [...renderContexts(request), ...request.flags.access, ...request.flags.step],
  };
}

/** The name that keeps an environment's image, and with it the engine's cache, between builds. */
export function cacheName(request: BuildRequest, stage: number): string {
  const of = [request.names[0]?.full ?? request.context, request.platform ?? "", stage].join("\n");
  const hash = createHash("sha256").update(of).digest("hex").slice(0, 16);
  return `localhost/xbuild-env:${hash}`;
}

function commonCall(
  request: BuildRequest,
  plan: BuildPlan,
): Pick<
  EngineBuild,
  "context" | "noCache" | "platform" | "pull" | "ignoreFile" | "quiet" | "locate"
> {
  return {
    context: request.context,
    noCache: request.noCache,
    platform: request.platform,
    pull: request.pull === "never" ? "never" : "missing",
    ignoreFile: request.ignoreFile,
    quiet: request.quiet,
    locate: (step) => locateStep(plan.containerfile, step),
  };
}

/** Named contexts: their paths are absolute. */
function renderContexts(request: BuildRequest): readonly string[] {
  return [...request.buildContexts].map(([name, value]) => `--build-context=${name}=${value}`);
}

function mountLayers(layers: LayersDirectory, path: string): readonly Mount[] {
  return [
    { source: layers.root, target: path, readOnly: true },
    { source: layers.output, target: `${path.replace(/(?<!\/)\/+$/, "")}/output`, readOnly: false },
  ];
}

function passArguments(
  { hiddenArgs }: BuildRequest,
  buildArgs: ReadonlyMap<string, string>,
): Pick<EngineBuild, "buildArgs" | "hiddenArgs"> {
  const hidden = [...hiddenArgs].filter((name) => buildArgs.has(name));
  return { buildArgs, hiddenArgs: new Set(hidden) };
}

/** All arguments but those that are declared only after OUTPUT: the engine warns of what it cannot use. */
function environmentArguments(request: BuildRequest, plan: BuildPlan): ReadonlyMap<string, string> {
  const later = declaredNames(plan.layering.instructions, plan.containerfile.escape);
  const given = [...request.buildArgs].filter(
    ([name]) => !later.has(name) || plan.declaredBeforeOutput.has(name),
  );
  return withEpoch(request, new Map(given), plan.declaredBeforeOutput.has(epochVariable));
}

function layeringArguments(request: BuildRequest, plan: BuildPlan): ReadonlyMap<string, string> {
  const given = [...request.buildArgs].filter(([name]) => plan.declaredArguments.has(name));
  return withEpoch(request, new Map(given), true);
}

function withEpoch(
  request: BuildRequest,
  given: ReadonlyMap<string, string>,
  wanted: boolean,
): ReadonlyMap<string, string> {
  if (request.epoch === undefined || !wanted) return given;
  return new Map([...given, [epochVariable, String(request.epoch)]]);
}
