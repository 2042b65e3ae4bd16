import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { assertPresent, listNames } from "../delivery/delivery.ts";
import { XbuildError } from "../errors.ts";
import { inStep, type Step } from "../reporter.ts";
import {
  assertInputUnchanged,
  type CollectedLayer,
  type CollectedOutput,
  type CollectOptions,
  forgetTrees,
  collectOutput,
  type PreparedLayers as PreparedDirectory,
  type PreviousImages,
} from "../layers/layers.ts";
import {
  assembleWithPrevious,
  type Digest,
  type Image,
  narrowLocations,
  type Location,
  maxDocumentSize,
} from "../oci/oci.ts";
import { commitImage, dropBlob, listMissingLayers, type Store } from "../store/store.ts";
import { settleAll } from "../system/settle.ts";
import { describeCollecting } from "./collecting.ts";
import { describeTimes } from "./last-state.ts";
import { withBases } from "./base-entries.ts";
import { describeImage } from "./describe-image.ts";
import { collectEngineStage } from "./engine-stage.ts";
import { listBuildKeys } from "./last-build.ts";
import { listImages } from "./previous.ts";
import { announceResult } from "./result.ts";
import { joinPlaces, listLayers, stageLayers } from "./stage-layers.ts";
import type { StepsResult } from "./prepare-layers.ts";
import { describeRecords } from "./records.ts";
import type { Build, BuildRunWorkspace } from "./workspace.ts";

export interface CollectedImage {
  readonly image: Image;
  readonly layers: readonly CollectedLayer[];
  /** Whose layers it might keep; undefined where that is not known. */
  readonly previous?: PreviousImages | undefined;
  /** Whether its key stands for it: nothing changed while it was built. */
  readonly isKeyed: boolean;
}

/** A build whose inputs are looked at once more meanwhile, what it depends on being known by then. */
export interface ConfirmedBuild extends Build {
  readonly confirmed?: Promise<Build>;
}

/** Makes an image of what the build wrote, and takes it into the store under its names. */
export async function collectImage(
  begun: ConfirmedBuild,
  result: StepsResult,
  work: BuildRunWorkspace,
): Promise<CollectedImage> {
  const { request } = begun;
  const { made, previous, arranged } = result;
  const collect = async (step: Step): Promise<CollectedOutput> => {
    if (made.kind === "directory") await checkInput(made.prepared.directory, work.store);
    return collectLayers(begun, result, { ...work, onProgress: step.progress });
  };
  const collecting = inStep("Collecting layers", collect, work);
  const confirmed = begun.confirmed ?? Promise.resolve(begun);
  const [found, build] = await settleAll([collecting, confirmed]);
  const hasMoved = build.inputs !== begun.inputs;
  if (hasMoved && found.state !== undefined) forgetTrees(found.state);
  const collected = withBases(found, arranged);
  const done = work.reporter.step("Storing the image", { isBrief: true });
  for (const warning of collected.warnings) work.reporter.warn(warning);
  const { output, stagedBlobs, files } = await stageLayers(collected, { request, result }, work);
  const description = await describeImage(build, output, { ...result, now: work.now });
  const image = assembleWithPrevious(description, listImages(previous));
  assertReadable(image);
  const locations = narrowLocations(joinPlaces(result).locations, image);
  const coming = new Set([...stagedBlobs.map((blob) => blob.digest), ...files.keys()]);
  await assertKept(image, { coming, locations }, work);
  const layers = listLayers(output);
  const { stages } = build.inputs;
  const outcome = { request, upToDate: false, layers, previous, coming, stages };
  await announceResult(image, outcome, work);
  const keys = listBuildKeys(build);
  const { state } = output;
  const times = describeTimes(request, made.kind === "directory" ? made.output.reuse : undefined);
  await commitImage(work.run, {
    image,
    stagedBlobs,
    files,
    locations,
    names: listNames(request.delivery),
    records: describeRecords(build, image),
    contexts: [...build.inputs.directories.values()],
    // So that a prune leaves the last build of each stage, and the next build can tell what changed.
    refs: keys,
    ...(state === undefined ? {} : { state: { keys, directory: state, times } }),
  });
  done();
  return { image, layers, previous, isKeyed: build.inputs.key !== undefined };
}

/** Nobody, xbuild included, reads larger ones: the name would stand for an image that cannot be had. */
function assertReadable({ configBytes, manifestBytes }: Image): void {
  const documents = { config: configBytes, manifest: manifestBytes };
  for (const [name, { byteLength }] of Object.entries(documents)) {
    if (byteLength <= maxDocumentSize) continue;
    const message = `the image's ${name} would have ${byteLength} bytes, but registries take ${maxDocumentSize}`;
    throw new XbuildError("output-json-too-large", message, {
      hint: "write less into output/history.json, output/config.json and output/annotations.json",
    });
  }
}

interface Places {
  /** Layers that the store is about to take. */
  readonly coming: ReadonlySet<Digest>;
  readonly locations: readonly Location[];
}

/** Layers that stay where they are must be there: else the names would move to an image that nobody can have. */
async function assertKept(
  image: Image,
  { coming, locations }: Places,
  work: BuildRunWorkspace,
): Promise<void> {
  const missing = await listMissingLayers(work.store, image);
  const elsewhere = missing.filter((layer) => !coming.has(layer.digest));
  if (elsewhere.length > 0) await assertPresent(elsewhere, locations, work);
}

/** A blob that the build changed may be the store's own file: it is dropped there, and then only missing. */
async function checkInput(directory: PreparedDirectory, store: Store): Promise<void> {
  for (const blob of directory.inputBlobs) {
    try {
      await assertInputUnchanged({ ...directory, inputBlobs: [blob] });
    } catch (error) {
      await dropBlob(store, `sha256:${blob.hex}`);
      throw error;
    }
  }
}

async function collectLayers(
  build: Build,
  { made, previous, bases, arranged, configs }: StepsResult,
  work: BuildRunWorkspace & Pick<CollectOptions, "onProgress">,
): Promise<CollectedOutput> {
  if (made.kind === "engine") {
    const { name } = build.plan.target;
    const stage = { ...made, name, base: bases[0], previous };
    return collectEngineStage(build, { ...stage, compression: "gzip", reuse: undefined }, work);
  }
  const { early, prepared, isBusy } = made;
  const options = describeCollecting(build, { ...made, previous, bases, arranged }, work);
  const collect = (more: Partial<CollectOptions>): Promise<CollectedOutput> =>
    collectOutput(prepared.directory.output, { ...options, ...more, onProgress: work.onProgress });
  if (isBusy?.() !== true) return collect({ early });
  try {
    return await collect({ early });
  } catch (error) {
    if (!(error instanceof XbuildError) || error.code === "store-full") throw error;
    // Somebody may have written there after all: once more, when the engine has ended, and with it all that it started.
    await configs;
    return collect({ staging: await mkdtemp(join(work.run.staging, "again-")) });
  }
}
