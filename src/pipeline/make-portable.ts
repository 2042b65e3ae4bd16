import type { CollectedLayer, PreviousImages } from "../layers/layers.ts";
import {
  assembleImage,
  type Image,
  keyAnnotation,
  listHistory,
  platformOf,
  type WantedPlatform,
} from "../oci/oci.ts";
import { listNames } from "../delivery/delivery.ts";
import { inBriefStep } from "../reporter.ts";
import { commitImage, readLocations } from "../store/store.ts";
import type { CollectedImage } from "./collect-image.ts";
import { finishConfig } from "./describe-image.ts";
import { findBuilt } from "./find-built.ts";
import { listBuildKeys } from "./last-build.ts";
import { describeRecords } from "./records.ts";
import { announceResult, type Outcome } from "./result.ts";
import type { Build, BuildRunWorkspace } from "./workspace.ts";

/**
 * Makes an image whose steps do the same for every platform: they run once, and what they wrote makes the images of
 * the others, too, each with its own platform.
 */
export async function makePortable(
  build: Build,
  { make, findOwn }: PortableSteps,
  work: BuildRunWorkspace,
): Promise<CollectedImage> {
  const { portableKey } = build.inputs;
  if (portableKey === undefined || build.request.steps.platform === undefined) return make();
  const { noCache } = build.request.steps;
  const { key, image, layers, previous } = await work.shared.makePortable(portableKey, async () => {
    // What other stages came to is not in the key.
    const mayBeKnown = !noCache && build.plan.dependencies.built.length === 0;
    const known = mayBeKnown ? await findBuilt(portableKey, work) : undefined;
    const made = known === undefined ? await make() : { image: known, layers: [] };
    return { ...made, key: known === undefined ? build.inputs.key : undefined };
  });
  // This build made it, or one for the same platform did.
  if (key !== undefined && key === build.inputs.key)
    return { image, layers, previous, isKeyed: true };
  const own = await findOwn?.();
  const adapted = await adaptImage(build, { image, layers }, work);
  return { image: adapted.image, layers, previous: own, isKeyed: build.inputs.key !== undefined };
}

/** What makes an image where no other platform's steps have. */
export interface PortableSteps {
  readonly make: () => Promise<CollectedImage>;
  /** Where they have: what the platform's own image is compared with, asked for before its names move. */
  readonly findOwn?: () => Promise<PreviousImages>;
}

interface MadeImage {
  readonly image: Image;
  /** undefined where nothing had to be built for it. */
  readonly layers: readonly CollectedLayer[] | undefined;
  readonly previous?: PreviousImages | undefined;
}

/** Takes what another build made of the same steps for the result, with the build's own platform, labels and names. */
export async function adaptImage(
  build: Build,
  { image: other, layers, previous }: MadeImage,
  work: BuildRunWorkspace,
): Promise<Pick<CollectedImage, "image"> & Pick<Outcome, "upToDate" | "layers" | "previous">> {
  const { request, inputs } = build;
  // With which images of other stages it was made is known where it was made just now.
  const isTold = layers !== undefined;
  const image = changeWords(other, build);
  const outcome = {
    upToDate: layers === undefined,
    ...(layers === undefined ? {} : { layers, previous }),
  };
  await announceResult(image, { request, ...outcome, stages: inputs.stages }, work);
  const store = async (): Promise<void> => {
    await work.run.mustHold(other);
    await commitImage(work.run, {
      image,
      names: listNames(request.delivery),
      records: isTold ? describeRecords(build, image) : [],
      refs: listBuildKeys(build),
      locations: await readLocations(work.store, other.digest),
    });
  };
  await inBriefStep("Storing the image", store, work);
  return { image, ...outcome };
}

/** The same image with what a build says of it. */
function changeWords(other: Image, { inputs, request }: Build): Image {
  const { manifest, config } = other;
  const { image, steps, reuse } = request;
  const hasWords = image.labels.size + Object.keys(image.annotations).length > 0;
  if (!hasWords && steps.platform === undefined) return other;
  const { [keyAnnotation]: _, ...annotations } = manifest.annotations ?? {};
  const { key, isPublic } = inputs;
  const { created = "1970-01-01T00:00:00Z", author } = config;
  return assembleImage({
    platform: steps.platform === undefined ? platformOf({ config }) : namePlatform(reuse.platform),
    config: finishConfig(image, config.config ?? {}),
    ...(author === undefined ? {} : { author }),
    entries: listHistory({ manifest, config }).map(({ entry, layer }) =>
      layer === undefined ? { history: entry } : { history: entry, layer },
    ),
    annotations: {
      ...annotations,
      ...image.annotations,
      ...(key === undefined || !isPublic ? {} : { [keyAnnotation]: key }),
    },
    created,
  });
}

function namePlatform({ os, architecture, variant }: WantedPlatform): WantedPlatform {
  return { os, architecture, ...(variant ? { variant } : {}) };
}
