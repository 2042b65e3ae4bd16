import {
  annotateContent,
  type Annotations,
  type Digest,
  type ImageConfig,
  ociLayerType,
} from "../oci/oci.ts";
import type { CollectedEntry, CollectedLayer } from "../layers/layers.ts";
import { type ArrangedBases, withBases } from "../pipeline/pipeline.ts";
import type { BuildPlan, LayeredStage } from "../plan/plan.ts";
import type { CollectedStep } from "./collect-output.ts";
import { describeImage } from "./describe-image.ts";
import { chainLayers, type LayerSource, stackLayers } from "./layer-sources.ts";
import type { State } from "./llb/state.ts";
import type { NewLayer } from "./llb/unpack-layer.ts";
import type { StageImage } from "./stage-image.ts";
import { describeKnown } from "./step/previous-image.ts";
import type { StepLayer, StepMade } from "./step/messages.ts";
import { showText } from "../visible.ts";
import { withoutMissing } from "./without-missing.ts";
import type { FrontendWork } from "./work.ts";

/** What the image of a stage with OUTPUT is composed of. */
export interface StageParts {
  readonly plan: BuildPlan;
  readonly stage: LayeredStage;
  readonly configs: { readonly environment: ImageConfig; readonly layering: ImageConfig };
  readonly bases: readonly StageImage[];
  readonly arranged: ArrangedBases;
  readonly collected: CollectedStep;
}

/** A layer of the image, and where its bytes are. */
interface PlacedLayer {
  readonly layer: CollectedLayer;
  readonly source: LayerSource;
}

/** The image of the layers that the build listed, on those of the images below. */
export function composeStage(parts: StageParts, work: FrontendWork): StageImage {
  const { collected, arranged, bases } = parts;
  const sources = indexSources(bases, work);
  const own = new Map<CollectedLayer, LayerSource>();
  const entries = collected.made.entries.map((entry) => {
    const described = describeEntry(entry);
    if (entry.kind === "layer" && described.kind === "layer" && entry.file !== undefined)
      own.set(described.layer, { kind: "own", layer: describeNew(collected.state, entry) });
    return described;
  });
  const output = {
    ...collected.made,
    entries,
    warnings: [],
    state: undefined,
    config: collected.made.config,
  };
  const whole = withBases(output, arranged);
  const placed = whole.entries.flatMap((one): readonly PlacedLayer[] => {
    if (one.kind === "empty") return [];
    const source = own.get(one.layer) ?? sources.get(one.layer.descriptor.digest);
    if (source === undefined) throw new RangeError("a layer comes from somewhere");
    return [{ layer: one.layer, source }];
  });
  const layers = placed.map(({ layer }) => layer);
  const image = describeImage(parts, { whole, layers }, work);
  const found = placed.map(({ source }) => source);
  const state = work.canMerge ? stackLayers(found, describeLayers(layers)) : chainLayers(found);
  return { state, image, sources: found };
}

function describeNew(from: State, { file = "", name, removed = [] }: StepLayer): NewLayer {
  const absolute = removed.map((one) => `/${one}`);
  return { from, path: `/${file}`, removed: absolute, name: `[layers] ${showName(name)}` };
}

/** What became of them: it is what a client shows last. */
function describeLayers(layers: readonly CollectedLayer[]): string {
  const counts = (["new", "equal", "kept"] as const).map((status) => {
    const count = layers.filter((one) => one.status === status).length;
    return count === 0 ? [] : [`${count} ${status}`];
  });
  return `[layers] image of ${layers.length} layers: ${counts.flat().join(", ")}`;
}

const maxShown = 100;

/** A step of a build may call a layer anything: clients print the names of operations as they are. */
function showName(name: string): string {
  const shown = showText(name);
  return shown.length > maxShown ? `${shown.slice(0, maxShown)}...` : shown;
}

/** Where layers are that exist already, by their diff IDs; those of images below come before those of previous ones. */
function indexSources(
  bases: readonly StageImage[],
  { previous }: FrontendWork,
): ReadonlyMap<Digest, LayerSource> {
  const sources = new Map<Digest, LayerSource>();
  const add = (digest: Digest, source: LayerSource): void => {
    if (!sources.has(digest)) sources.set(digest, source);
  };
  for (const { image, sources: own } of bases)
    for (const [index, digest] of image.config.rootfs.diff_ids.entries()) {
      const source = own[index];
      if (source !== undefined) add(digest, source);
    }
  for (const one of previous) {
    const { config } = describeKnown(one);
    for (const [index, digest] of config.rootfs.diff_ids.entries())
      add(digest, { kind: "image", image: one.layered, index });
  }
  return sources;
}

/** A new layer without anything in it is none for BuildKit: its entry stays. */
function describeEntry(entry: StepMade["entries"][number]): CollectedEntry {
  if (entry.kind === "empty") return { kind: "empty", history: withoutMissing(entry.history) };
  const history = withoutMissing(entry.history);
  if (entry.isEmpty === true) return { kind: "empty", history: { ...history, empty_layer: true } };
  const { name, status, diffId } = entry;
  const descriptor = {
    mediaType: ociLayerType,
    digest: diffId,
    size: 0,
    annotations: annotateLayer(entry),
  };
  return { kind: "layer", layer: { name, status, descriptor, diffId, history } };
}

function annotateLayer({ fingerprint, canonical, diffId }: StepLayer): Annotations {
  if (fingerprint === undefined) return {};
  return annotateContent({ fingerprint, canonical: canonical ?? diffId });
}
