import { type Instruction, isPredefined } from "../../containerfile/containerfile.ts";
import { localName } from "../../oci/oci.ts";
import {
  type BuildPlan,
  declaredNames,
  type LayeredStage,
  locateStep,
  type StagePlan,
} from "../../plan/plan.ts";
import type { EngineBuild, LayersDirectory, StepPlace, StepsRequest } from "../model.ts";
import type { BuildCall, Mount } from "./commands.ts";
import { epochVariable } from "./layering-arguments.ts";
import type { CallDocument, LoweredHeredocs } from "./lower-heredocs.ts";
import { lowerLayering, lowerMetadata, lowerStage, type LayeringImages } from "./lower.ts";
import type { StageNames } from "../stage-names.ts";

type Build = Pick<EngineBuild, "plan" | "steps">;

/**
 * The engine call that builds one stage, with the engine's cache. It gives no name: where the image is
 * there already, a build writes back the names that it read, and may bring back one that was removed
 * meanwhile; `tag` adds one and leaves the others alone.
 */
export function createStageCall(
  { plan, steps, unseen }: Build & Pick<EngineBuild, "unseen">,
  stage: StagePlan,
  names: Omit<StageNames, "digests">,
): BuildCall {
  return {
    ...commonCall(steps),
    locate: (step) => locate(listBuilt(plan, stage), step, { plan, heredocs: names.heredocs }),
    noCache: (steps.noCache && !unseen.isRenewed) || unseen.byTriggers,
    purpose: stage.kind === "layered" ? nameCall(plan, "environment") : `stage ${stage.name}`,
    text: lowerStage(plan, stage, { ...names, digests: unseen.digests }),
    mode: "cached",
    names: [],
    mounts: [],
    documents: listDocuments(listBuilt(plan, stage), names.heredocs),
    ...passArguments(steps, environmentArguments(plan, steps)),
    flags: [
      ...renderContexts(steps, names.pinned),
      ...steps.flags.access,
      ...steps.flags.step,
      ...steps.flags.cache,
      ...(steps.timestamp ? [`--timestamp=${steps.epoch}`] : []),
    ],
  };
}

/** What the layering steps run with. */
export interface LayeringPlace {
  readonly images: LayeringImages;
  readonly directory: LayersDirectory;
  /** Names for the image of the metadata instructions. */
  readonly names: readonly string[];
}

/** The engine call that runs the layering steps, the layers directory mounted, nothing of them committed. */
export function createLayeringCall(
  { plan, steps }: Build,
  stage: LayeredStage,
  { images, directory, names }: LayeringPlace,
): BuildCall {
  const last = lowerMetadata(plan, stage, images);
  return {
    ...commonCall(steps),
    locate: (step) =>
      locate(stage.layering.instructions, step, { plan, heredocs: images.heredocs }),
    purpose: nameCall(plan, "layering steps"),
    text: lowerLayering(plan, stage, images),
    lastStage: last.head + last.text,
    mode: "single",
    names,
    mounts: mountLayers(directory, stage.output.path),
    documents: listDocuments(stage.layering.instructions, images.heredocs),
    ...passArguments(steps, layeringArguments(plan, steps)),
    flags: [...renderContexts(steps, images.pinned), ...steps.flags.access, ...steps.flags.step],
  };
}

interface Located extends Pick<Build, "plan"> {
  readonly heredocs: LoweredHeredocs;
}

function locate(
  run: readonly Instruction[],
  step: string,
  { plan: { containerfile }, heredocs }: Located,
): StepPlace | undefined {
  const names = run.flatMap((instruction) =>
    (heredocs.get(instruction)?.names ?? []).map((name) => ({ instruction, name })),
  );
  return locateStep(containerfile, { run, names }, step);
}

function listDocuments(
  run: readonly Instruction[],
  heredocs: LoweredHeredocs,
): readonly CallDocument[] {
  return run.flatMap((instruction) => heredocs.get(instruction)?.documents ?? []);
}

/** Which stage it is about need only be said where the file has several such. */
function nameCall({ dependencies, graph, target }: BuildPlan, what: string): string {
  const isOnly = dependencies.built.length === 0 && graph.target === target.index;
  return isOnly ? what : `${what} of ${target.name}`;
}

/** The name that keeps a stage's image, and with it the engine's cache, between builds. */
export function cacheName(
  { cacheKey, platform }: StepsRequest,
  { name }: Pick<StagePlan, "name">,
): string {
  const of = [cacheKey, platform ?? "", name].join("\n");
  return localName("xbuild-env", of);
}

/** The instructions that the engine runs for a stage, in its order. */
function listBuilt({ needed }: BuildPlan, { index }: StagePlan): readonly Instruction[] {
  return needed.flatMap(({ stage }) => {
    const { instructions, output } = stage;
    if (stage.index > index) return [];
    const end = output === undefined ? instructions.length : instructions.indexOf(output);
    return [stage.from, ...instructions.slice(0, end)];
  });
}

function commonCall(
  steps: StepsRequest,
): Pick<BuildCall, "context" | "noCache" | "platform" | "pull" | "ignoreFile" | "quiet"> {
  const { context, noCache, platform, ignoreFile, quiet } = steps;
  return {
    context,
    noCache,
    platform,
    pull: steps.pull === "never" ? "never" : "missing",
    ignoreFile,
    quiet,
  };
}

/**
 * Named contexts: their paths are absolute. In a build for a platform their images are those that were found for it:
 * the engine would let their names stand for what it pulls.
 */
function renderContexts(
  { buildContexts, platform }: StepsRequest,
  pinned: StageNames["pinned"],
): readonly string[] {
  const prefix = "docker-image://";
  return [...buildContexts].map(([name, value]) => {
    const image = value.startsWith(prefix) ? value.slice(prefix.length) : "";
    const own = platform === undefined ? undefined : pinned.get(image);
    return `--build-context=${name}=${own === undefined ? value : prefix + own}`;
  });
}

function mountLayers(directory: LayersDirectory, path: string): readonly Mount[] {
  return [
    { source: directory.root, target: path, readOnly: true },
    {
      source: directory.output,
      target: `${path.replace(/(?<!\/)\/+$/, "")}/output`,
      readOnly: false,
    },
  ];
}

function passArguments(
  { hiddenArgs }: StepsRequest,
  buildArgs: ReadonlyMap<string, string>,
): Pick<BuildCall, "buildArgs" | "hiddenArgs"> {
  const hidden = [...hiddenArgs].filter((name) => buildArgs.has(name));
  return { buildArgs, hiddenArgs: new Set(hidden) };
}

/** All arguments but those that the file declares elsewhere: the engine warns of what it cannot use. */
function environmentArguments(plan: BuildPlan, steps: StepsRequest): ReadonlyMap<string, string> {
  const { target, containerfile, dependencies } = plan;
  const declared =
    target.kind === "plain" ? dependencies.declaredArguments : target.declaredBeforeOutput;
  const inFile = declaredNames(containerfile.instructions, containerfile.escape);
  const given = [...steps.buildArgs].filter(([name]) => declared.has(name) || !inFile.has(name));
  return declared.has(epochVariable) ? withEpoch(steps, given) : new Map(given);
}

/** Those that are declared somewhere, or need not be; the latter count for no result. */
function layeringArguments(plan: BuildPlan, steps: StepsRequest): ReadonlyMap<string, string> {
  const { declaredArguments } = plan.dependencies;
  const given = [...steps.buildArgs].filter(
    ([name]) => declaredArguments.has(name) || isPredefined(name),
  );
  return withEpoch(steps, given);
}

function withEpoch(
  { epoch }: StepsRequest,
  given: readonly (readonly [string, string])[],
): ReadonlyMap<string, string> {
  return new Map(epoch === undefined ? given : [...given, [epochVariable, String(epoch)]]);
}
