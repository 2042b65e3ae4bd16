import {
  type AssembleInput,
  annotateContent,
  type Annotations,
  assembleImage,
  baseDigestAnnotation,
  baseNameAnnotation,
  type Digest,
  digestBytes,
  encodeJson,
  type ImageConfig,
  isSamePlatform,
  layersKey,
  ociLayerType,
  packContents,
  type Platform,
  parsePlatform,
  readCanonical,
  readFingerprint,
} from "../oci/oci.ts";
import type { CollectedEntry, CollectedLayer } from "../layers/layers.ts";
import { type ArrangedBases, composeImage, withBases } from "../pipeline/pipeline.ts";
import type { BuildPlan, LayeredStage } from "../plan/plan.ts";
import type { CollectedStep } from "./collect-output.ts";
import { chainLayers, type LayerSource, stackLayers } from "./layer-sources.ts";
import type { State } from "./llb/state.ts";
import type { NewLayer } from "./llb/unpack-layer.ts";
import { listPrefixed } from "./options.ts";
import type { StageImage } from "./stage-image.ts";
import { describeKnown } from "./step/previous-image.ts";
import type { StepLayer, StepMade } from "./step/messages.ts";
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
    config: readPatch(collected.made),
  };
  const whole = withBases(output, arranged);
  const placed = whole.entries.flatMap((one): readonly PlacedLayer[] => {
    if (one.kind === "empty") return [];
    const source = own.get(one.layer) ?? sources.get(one.layer.descriptor.digest);
    if (source === undefined) throw new RangeError("a layer comes from somewhere");
    return [{ layer: one.layer, source }];
  });
  const image = describeImage(parts, { whole, placed }, work);
  const layers = placed.map(({ source }) => source);
  const state = work.canMerge ? stackLayers(layers) : chainLayers(layers);
  return { state, image, sources: layers };
}

function describeNew(from: State, { file = "", name, removed = [] }: StepLayer): NewLayer {
  const absolute = removed.map((one) => `/${one}`);
  return { from, path: `/${file}`, removed: absolute, name: `[layers] ${name}` };
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

type Defined<T> = { readonly [Key in keyof T]?: Exclude<T[Key], undefined> };

function withoutMissing<T extends object>(value: T): Defined<T> {
  const members = Object.entries(value).filter(([, one]) => one !== undefined);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is missing is left out
  return Object.fromEntries(members) as Defined<T>;
}

/** It was checked where it was read. */
function readPatch({ config }: StepMade): Parameters<typeof composeImage>[1]["output"]["config"] {
  return config;
}

interface WholeOutput {
  readonly whole: Parameters<typeof composeImage>[1]["output"];
  readonly placed: readonly PlacedLayer[];
}

/**
 * The image as BuildKit is told of it. Times that nobody has said BuildKit fills in: those of what it has made. Where nothing
 * of the image has changed, it is the previous one's.
 */
function describeImage(
  { stage, plan, configs, bases, collected }: StageParts,
  { whole, placed }: WholeOutput,
  { options, limits, previous, evaluation }: FrontendWork,
): StageImage["image"] {
  const isResult = plan.graph.target === stage.index;
  const labels = isResult ? listPrefixed(options, "label:") : new Map<string, string>();
  const base = bases[0]?.image.config;
  const image = { labels };
  const input: AssembleInput = {
    ...composeImage(stage, { output: whole, configs: { ...configs, base }, image }),
    platform: pickPlatform(configs.environment, evaluation.platform),
    annotations: { ...describeBase(bases[0]), ...collected.made.annotations },
    created: undefined,
    ...(limits.epoch === undefined ? {} : { epoch: limits.epoch }),
  };
  const key = packContents(placed.map(({ layer }) => readContent(layer)));
  const made = encodeJson({ ...assembleImage(input).config, [layersKey]: key });
  const isTimed = limits.epoch !== undefined;
  const same = previous.find(
    (one) => describeContent(one.config, isTimed) === describeContent(made, isTimed),
  );
  const config = same?.config ?? made;
  const known = describeKnown({ reference: stage.name, digest: digestBytes(config), config });
  return { ...known, manifest: { ...known.manifest, annotations: input.annotations } };
}

/** The image that stands below, as a registry has it: what a rebase goes by. image-spec v1.1, annotations.md */
function describeBase(base: StageImage | undefined): Annotations {
  const [first] = base?.sources ?? [];
  if (first?.kind !== "image") return {};
  const [, name, digest] = /^docker-image:\/\/([^@]*)@(.*)$/.exec(first.image.identifier) ?? [];
  if (name === undefined || digest === undefined) return {};
  return { [baseNameAnnotation]: name, [baseDigestAnnotation]: digest };
}

function readContent({ descriptor, diffId }: CollectedLayer): ReturnType<typeof toContent> {
  const fingerprint = readFingerprint(descriptor);
  return toContent(fingerprint, readCanonical(descriptor.annotations) ?? diffId);
}

function toContent(
  fingerprint: string | undefined,
  canonical: Digest,
): { readonly fingerprint: string; readonly canonical: Digest } | undefined {
  return fingerprint === undefined ? undefined : { fingerprint, canonical };
}

/** A config in one order of members, without its times but where they are said; BuildKit's own inline cache is no part of it. */
function describeContent(bytes: Uint8Array, isTimed: boolean): string {
  const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
  const left = isTimed ? ["moby.buildkit.cache.v0"] : ["moby.buildkit.cache.v0", "created"];
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(
          Object.entries(member)
            .filter(([name]) => !left.includes(name))
            .sort(([a], [b]) => (a < b ? -1 : 1)),
        )
      : member,
  );
}

/** The platform that was asked for; what only the environment knows of the same platform counts, too. */
function pickPlatform(environment: ImageConfig, wanted: string | undefined): Platform {
  const { architecture, os, variant } = environment;
  const own = { architecture, os, ...(variant === undefined || variant === "" ? {} : { variant }) };
  const platform = wanted === undefined ? undefined : parsePlatform(wanted, own);
  return platform === undefined || isSamePlatform(platform, own) ? own : platform;
}
