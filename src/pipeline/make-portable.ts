import { type CollectedLayer } from "../layers/layers.ts";
import {
  assembleImage,
  type Image,
  keyAnnotation,
  listHistory,
  type WantedPlatform,
} from "../oci/oci.ts";
import { listNames } from "../delivery/delivery.ts";
import { commitImage, readLocations } from "../store/store.ts";
import type { CollectedImage } from "./collect-image.ts";
import { findBuilt } from "./find-built.ts";
import { describeRecords } from "./records.ts";
import { nameTarget } from "./request.ts";
import { announceResult } from "./result.ts";
import type { Build, BuildRunWorkspace } from "./workspace.ts";

/**
 * Makes an image whose steps do the same for every platform: they run once, and what they wrote makes the images of
 * the others, too, each with its own platform.
 */
export async function makePortable(
  build: Build,
  make: () => Promise<CollectedImage>,
  work: BuildRunWorkspace,
): Promise<CollectedImage> {
  const { portableKey } = build.inputs;
  if (portableKey === undefined || build.request.steps.platform === undefined) return make();
  const { noCache } = build.request.steps;
  const { key, image, layers } = await work.shared.makePortable(portableKey, async () => {
    // What other stages came to is not in the key.
    const mayBeKnown = !noCache && build.plan.dependencies.built.length === 0;
    const known = mayBeKnown ? await findBuilt(portableKey, work) : undefined;
    const made = known === undefined ? await make() : { image: known, layers: [] };
    return { ...made, key: known === undefined ? build.inputs.key : undefined };
  });
  // This build made it, or one for the same platform did.
  if (key !== undefined && key === build.inputs.key) return { image, layers, isKeyed: true };
  return takeOver(build, { image, layers }, work);
}

interface MadeImage {
  readonly image: Image;
  readonly layers: readonly CollectedLayer[];
}

async function takeOver(
  build: Build,
  { image: other, layers }: MadeImage,
  work: BuildRunWorkspace,
): Promise<CollectedImage> {
  const { request, plan, inputs } = build;
  const image = changePlatform(other, build);
  await announceResult(image, { request, upToDate: false, layers, stages: inputs.stages }, work);
  await work.run.mustHold(other);
  await commitImage(work.run, {
    image,
    names: listNames(request.delivery),
    records: describeRecords(build, image),
    refs: [nameTarget(plan.target, request)],
    locations: await readLocations(work.store, other.digest),
  });
  return { image, layers, isKeyed: inputs.key !== undefined };
}

/** The same image for the platform of a build. */
function changePlatform({ manifest, config }: Image, { inputs, request }: Build): Image {
  const { [keyAnnotation]: _, ...annotations } = manifest.annotations ?? {};
  const { key, isPublic } = inputs;
  const { created = "1970-01-01T00:00:00Z", author } = config;
  return assembleImage({
    platform: namePlatform(request.reuse.platform),
    config: config.config ?? {},
    ...(author === undefined ? {} : { author }),
    entries: listHistory({ manifest, config }).map(({ entry, layer }) =>
      layer === undefined ? { history: entry } : { history: entry, layer },
    ),
    annotations: {
      ...annotations,
      ...(key === undefined || !isPublic ? {} : { [keyAnnotation]: key }),
    },
    created,
  });
}

function namePlatform({ os, architecture, variant }: WantedPlatform): WantedPlatform {
  return { os, architecture, ...(variant ? { variant } : {}) };
}
