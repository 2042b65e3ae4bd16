import { lowerPlain, nameBuiltSources, nameStageSource } from "../engine/engine.ts";
import { settleAll } from "../system/settle.ts";
import { encodeText } from "../containerfile/containerfile.ts";
import type { BuildPlan, LayeredStage } from "../plan/plan.ts";
import { arrangeKnown } from "../pipeline/pipeline.ts";
import { collectWritten, restoreDiagnostic } from "./collect-output.ts";
import { composeStage } from "./compose-stage.ts";
import { evaluateText } from "./dockerfile.ts";
import { evaluateSteps, type LayeredBuild, type Named, readOwn } from "./evaluate-steps.ts";
import { createLayersContext } from "./layers-context.ts";
import { describeEvaluated, type StageImage } from "./stage-image.ts";
import { describePrevious } from "./step/previous-image.ts";
import type { StepRequest } from "./step/messages.ts";
import type { FrontendWork } from "./work.ts";

/** Images of other stages, by their indexes: each made when somebody wants it, and once. */
export type StageImages = (index: number) => Promise<StageImage>;

/** Makes the image of a stage; of one without OUTPUT it is what BuildKit's own frontend makes of it. */
export async function buildStage(
  plan: BuildPlan,
  images: StageImages,
  work: FrontendWork,
): Promise<StageImage> {
  const { target, graph } = plan;
  const named = await nameStages(plan, images);
  if (target.kind === "layered") return buildLayered({ plan, target, named }, images, work);
  const text = lowerPlain(plan, target, nameBuiltSources(plan));
  const isResult = graph.target === target.index;
  return describeEvaluated(
    work.bridge,
    await evaluateText(work.evaluation, { text, named, isResult }),
  );
}

async function nameStages({ dependencies }: BuildPlan, images: StageImages): Promise<Named> {
  const named = dependencies.built.map(async ({ index }) => {
    const { state, image } = await images(index);
    return [nameStageSource(index), { state, config: image.configBytes }] as const;
  });
  return new Map(await settleAll(named));
}

async function buildLayered(
  build: LayeredBuild,
  images: StageImages,
  work: FrontendWork,
): Promise<StageImage> {
  const { plan, target } = build;
  const { limits } = work;
  await warnUnused(target, work);
  const previous = work.previous.map(describePrevious);
  const bases = await findBases(build, images, work);
  const names = target.bases.map((one) => ("name" in one ? one.name : one.kind));
  const arranged = arrangeKnown(
    bases.map(({ image }) => ({ image })),
    names,
    new Map(),
  );
  const maxLayers = Math.max(limits.maxLayers - arranged.layerCount, 0);
  const { helperDirectory, releases } = work;
  const baseLayers = arranged.layerCount;
  const input = { previous, maxLayers, baseLayers, releases, helperDirectory };
  const context = await createLayersContext(input);
  const { steps, environment } = await evaluateSteps(build, context, work);
  const written = {
    state: steps.state,
    path: `${target.output.path}/output`,
    // As BuildKit calls one that has no name.
    name: plan.containerfile.stages[target.index]?.name ?? `stage-${target.index}`,
    span: target.output.instruction.span,
  };
  const request = describeRequest(target, baseLayers, work);
  const collected = await collectWritten(written, request, work);
  for (const one of collected.made.warnings) await work.warn(restoreDiagnostic(one));
  for (const one of arranged.warnings) await work.warn(one);
  await warnLost(Object.keys(collected.made.annotations), work);
  const configs = { environment, layering: await readOwn(build, steps) };
  return composeStage(
    { plan: build.plan, stage: target, configs, bases, arranged, collected },
    work,
  );
}

/** BuildKit takes annotations by keys without blanks. */
async function warnLost(keys: readonly string[], { warn }: FrontendWork): Promise<void> {
  for (const key of keys.filter((one) => /\s/.test(one)))
    await warn({
      code: "annotation-lost",
      severity: "warning",
      message: `BuildKit takes no annotation with a blank in its key: ${key}`,
      hint: "give it a key without blanks in output/annotations.json",
    });
}

/** What the client says, and nobody else can. */
async function warnUnused({ output }: LayeredStage, { warn }: FrontendWork): Promise<void> {
  const tell = (flag: string, hint: string): Promise<void> =>
    warn({
      code: "output-flag-unused",
      severity: "warning",
      message: `OUTPUT ${flag} changes nothing with BuildKit's frontend`,
      hint,
      span: output.instruction.span,
    });
  if (output.compression !== "gzip")
    await tell("--compression", "say it to the client: --output type=image,compression=zstd,...");
  if (output.input === "all")
    await tell("--input=all", "steps find no blobs of previous images there: keep layers by name");
}

async function findBases(
  { target, plan }: LayeredBuild,
  images: StageImages,
  { evaluation, bridge }: FrontendWork,
): Promise<readonly StageImage[]> {
  const found = target.bases.map(async (one) => {
    if (one.kind === "built") return images(one.index);
    if (!("name" in one)) throw new RangeError("a base is an image");
    // In the line in which it is named, for errors.
    const before = "\n".repeat(target.output.instruction.span.start.line - 1);
    const text = encodeText(`${before}FROM ${one.name}\n`);
    const named = await nameStages(plan, images);
    return describeEvaluated(bridge, await evaluateText(evaluation, { text, named }));
  });
  return settleAll(found);
}

function describeRequest(
  { output }: LayeredStage,
  baseLayers: number,
  { limits, previous }: FrontendWork,
): Omit<StepRequest, "output"> {
  const { epoch, maxLayers, maxLayerSize, allowDevices } = limits;
  return {
    version: 1,
    previous: previous.map(({ reference, digest, config }) => ({
      reference,
      digest,
      config: Buffer.from(config).toString("base64"),
    })),
    ...(output.reuse === undefined ? {} : { reuse: output.reuse }),
    ...(epoch === undefined ? {} : { epoch }),
    maxLayers,
    maxLayerSize,
    baseLayers,
    allowDevices,
  };
}
