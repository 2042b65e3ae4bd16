import type { Diagnostic } from "../diagnostics.ts";
import { createPlan, listPlans, planStage, type BuildPlan } from "../plan/plan.ts";
import { assertOwnNames } from "../engine/engine.ts";
import { listPrefixed } from "./options.ts";
import { settleAll } from "../system/settle.ts";
import { buildStage } from "./build-stage.ts";
import type { FileBuild } from "./build.ts";
import type { Bridge } from "./gateway/connect.ts";
import type { Result } from "./gateway/messages/gateway_pb.ts";
import { findPreviousImages, findReleases, listCacheImports } from "./previous.ts";
import { reportFindings, resolveFor } from "./resolve.ts";
import { type PlatformImage, returnImages } from "./result.ts";
import { assertKnownArguments, readLimits, readOwnImage } from "./settings.ts";
import { checkBlanked } from "./pass-through.ts";
import { createShow } from "./show.ts";
import { tryRead } from "./source.ts";
import type { StageImage } from "./stage-image.ts";
import { warnClient } from "./warn.ts";
import type { FrontendWork } from "./work.ts";

type SharedWork = Omit<FrontendWork, "evaluation" | "previous" | "releases">;

/** Makes the image of each platform that is asked for, side by side. */
export async function buildPlatforms(build: FileBuild): Promise<Result> {
  const { bridge, options, file } = build;
  const given = (options.given.get("platform") ?? "").split(",").filter((one) => one !== "");
  const warn = (one: Diagnostic): Promise<void> => warnClient(build, one);
  const buildContexts = listPrefixed(options, "context:");
  assertOwnNames({ plan: build, steps: { buildContexts } });
  assertKnownArguments(build);
  await reportFindings(build, resolveFor(build, undefined));
  await checkBlanked(build);
  const shared: SharedWork = {
    bridge,
    options,
    limits: readLimits(options),
    caches: listCacheImports(options),
    own: await readOwnImage(),
    helperDirectory: new URL("bin", import.meta.url).pathname,
    canMerge: await readCanMerge(bridge),
    warn,
  };
  const ignored = await tryRead(bridge, file.ref, `${file.name}.dockerignore`);
  const wanted = given.length === 0 ? [undefined] : given;
  const isList = given.length > 1 || options.given.get("multi-platform") === "true";
  const images = wanted.map((platform) =>
    buildPlatform(build, { platform, ignored, isNamed: given.length > 1, shared }),
  );
  return returnImages(await settleAll(images), { isList, caches: shared.caches, bridge });
}

/** BuildKit, `solver/pb/caps.go` */
async function readCanMerge(bridge: Bridge): Promise<boolean> {
  const { llbCaps } = await bridge.ping({});
  const has = (name: string): boolean => llbCaps.some(({ id, enabled }) => id === name && enabled);
  return has("mergeop") && has("diffop");
}

/** Where layers cannot be put together none of an earlier image can be kept. */
async function findPrevious(
  { bridge, options, canMerge, warn }: SharedWork,
  platform: string,
): Promise<FrontendWork["previous"]> {
  const found = await findPreviousImages(bridge, { options, platform }, warn);
  if (canMerge || found.length === 0) return found;
  await warn({
    code: "previous-unused",
    severity: "warning",
    message: "this builder can keep no layers of a previous image: all are made anew",
    hint: "use Docker's containerd image store, or a builder of the docker-container driver",
  });
  return [];
}

interface WantedPlatform {
  /** undefined: that of the machine that builds. */
  readonly platform: string | undefined;
  readonly ignored: Uint8Array | undefined;
  /** Whether steps are shown with it. */
  readonly isNamed: boolean;
  readonly shared: SharedWork;
}

async function buildPlatform(
  build: FileBuild,
  { platform, ignored, isNamed, shared }: WantedPlatform,
): Promise<PlatformImage> {
  const { bridge, options, dockerfile, source, info } = build;
  const named = platform ?? options.buildPlatform;
  const graph = resolveFor(build, named);
  const plan =
    createPlan(build.containerfile, graph) ?? planStage(build.containerfile, graph, graph.target);
  const work: FrontendWork = {
    ...shared,
    previous: await findPrevious(shared, named),
    releases: await findReleases(bridge, { options, platform: named }, shared.warn),
    evaluation: {
      bridge,
      options,
      dockerfile,
      file: info,
      ignored,
      context: source.context,
      inputs: source.inputs,
      platform,
      show: createShow(plan, isNamed ? named : undefined),
    },
  };
  return { platform: named, ...(await buildTarget(plan, work)) };
}

/** With the stages that it uses, each once. */
function buildTarget(target: BuildPlan, work: FrontendWork): Promise<StageImage> {
  const plans = new Map(listPlans(target).map((plan) => [plan.target.index, plan]));
  const begun = new Map<number, Promise<StageImage>>();
  const make = (index: number): Promise<StageImage> => {
    const plan = plans.get(index);
    if (plan === undefined) throw new RangeError(`no plan for stage ${index}`);
    const image = begun.get(index) ?? buildStage(plan, make, work);
    begun.set(index, image);
    return image;
  };
  return make(target.target.index);
}
