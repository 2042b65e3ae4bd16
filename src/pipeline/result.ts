import { listNames } from "../delivery/delivery.ts";
import type { CollectedLayer, PreviousImages } from "../layers/layers.ts";
import { type Digest, type Image, listHistory } from "../oci/oci.ts";
import { listMissingLayers } from "../store/store.ts";
import type { BuildRequest, BuildResult, ResultLayer } from "./request.ts";
import type { StageImages } from "./stage-images.ts";
import type { BuildWorkspace } from "./workspace.ts";

/** What is said of an image beside what it says itself. */
export interface Outcome {
  readonly request: BuildRequest;
  readonly upToDate: boolean;
  readonly layers?: readonly CollectedLayer[];
  /** What the layers are compared with is the first of these; undefined where nothing was made. */
  readonly previous?: PreviousImages | undefined;
  /** Images of the stages that it uses. */
  readonly stages?: StageImages;
  /** Layers that the store is about to take. */
  readonly coming?: ReadonlySet<Digest>;
}

/** What a build tells of its image: of one that was up to date, all layers are kept. */
export async function describeResult(
  image: Image,
  { request, upToDate, layers, previous, coming, stages }: Outcome,
  { store }: Pick<BuildWorkspace, "store">,
): Promise<BuildResult> {
  const missing = await listMissingLayers(store, image);
  const elsewhere = missing.filter((layer) => coming?.has(layer.digest) !== true);
  const { architecture, os, variant } = image.config;
  const told = listLayers(image, layers ?? [], new Set(elsewhere.map((layer) => layer.digest)));
  return {
    names: listNames(request.delivery),
    digest: image.digest,
    configDigest: image.manifest.config.digest,
    mediaType: image.manifest.mediaType,
    size: image.manifestBytes.byteLength,
    platform: { architecture, os, ...(variant === undefined ? {} : { variant }) },
    upToDate,
    layers: told,
    ...(previous === undefined ? {} : await compare(told, previous)),
    ...describeStages(stages),
  };
}

/** Loaded only where something was made. */
async function compare(
  told: readonly ResultLayer[],
  [first]: PreviousImages,
): Promise<Pick<BuildResult, "comparison">> {
  const { compareLayers } = await import("./comparison/compare-layers.ts");
  return { comparison: compareLayers(told, first) };
}

/** undefined where the stages that the target uses were not looked at, or are none. */
function describeStages(stages: StageImages | undefined): Pick<BuildResult, "stages"> {
  if (stages === undefined || stages.size === 0) return {};
  return {
    stages: [...stages.values()].map(({ name, image, layers }) => ({
      name,
      digest: image.digest,
      upToDate: layers === undefined,
      newLayers: layers?.filter(({ status }) => status === "new").length ?? 0,
    })),
  };
}

/** Tells beforehand what will be told at the end: what a caller does with it may still fail without harm. */
export async function announceResult(
  image: Image,
  outcome: Outcome,
  work: BuildWorkspace,
): Promise<void> {
  if (work.beforeNaming === undefined) return;
  await work.beforeNaming(await describeResult(image, outcome, work));
}

/** From the image itself, so that the report is true of what is in the store; the build adds each one's status. */
function listLayers(
  image: Image,
  collected: readonly CollectedLayer[],
  missing: ReadonlySet<Digest>,
): readonly ResultLayer[] {
  const items = listHistory(image).flatMap((one) =>
    one.layer === undefined ? [] : [{ entry: one.entry, layer: one.layer }],
  );
  return items.map(({ entry, layer }, index) => ({
    name: entry.created_by ?? "",
    digest: layer.descriptor.digest,
    diffId: layer.diffId,
    mediaType: layer.descriptor.mediaType,
    size: layer.descriptor.size,
    status: collected[index]?.status ?? "kept",
    verified: !missing.has(layer.descriptor.digest),
    largest: collected[index]?.largest,
  }));
}
