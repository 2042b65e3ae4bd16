import {
  type Annotations,
  type AssembleInput,
  assembleImage,
  baseDigestAnnotation,
  baseNameAnnotation,
  digestBytes,
  encodeJson,
  type ImageConfig,
  isSamePlatform,
  type LayerContent,
  layersKey,
  maxDocumentSize,
  packContents,
  parsePlatform,
  type Platform,
  readCanonical,
  readFingerprint,
} from "../oci/oci.ts";
import type { CollectedLayer } from "../layers/layers.ts";
import { XbuildError } from "../errors.ts";
import { composeImage } from "../pipeline/pipeline.ts";
import type { StageParts } from "./compose-stage.ts";
import { withTimesOf } from "./keep-times.ts";
import { listPrefixed } from "./options.ts";
import type { StageImage } from "./stage-image.ts";
import { describeKnown } from "./step/previous-image.ts";
import type { FrontendWork } from "./work.ts";

/** What of an image its layers do not say. */
export interface WholeOutput {
  readonly whole: Parameters<typeof composeImage>[1]["output"];
  /** In order, the lowest first. */
  readonly layers: readonly CollectedLayer[];
}

/**
 * The image as BuildKit is told of it. Times that nobody has said BuildKit fills in: those of what it has made. Where nothing
 * of the image has changed, it is the previous one's.
 */
export function describeImage(
  { stage, plan, configs, bases, collected }: StageParts,
  { whole, layers }: WholeOutput,
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
  const key = packContents(layers.map(readContent));
  const made: ImageConfig = Object.assign(assembleImage(input).config, { [layersKey]: key });
  const config = encodeJson(findSame(made, previous) ?? made);
  assertReadable(config);
  const known = describeKnown({ reference: stage.name, digest: digestBytes(config), config });
  return { ...known, manifest: { ...known.manifest, annotations: input.annotations } };
}

function findSame(made: ImageConfig, previous: FrontendWork["previous"]): ImageConfig | undefined {
  for (const { config } of previous) {
    const same = withTimesOf(made, config);
    if (same !== undefined) return same;
  }
  return undefined;
}

/** Nobody, xbuild included, reads a larger one. */
function assertReadable({ byteLength }: Uint8Array): void {
  if (byteLength <= maxDocumentSize) return;
  const message = `the image's config would have ${byteLength} bytes, but registries take ${maxDocumentSize}`;
  throw new XbuildError("output-json-too-large", message, {
    hint: "write less into output/history.json and output/config.json",
  });
}

/** The image that stands below, as a registry has it: what a rebase goes by. image-spec v1.1, annotations.md */
function describeBase(base: StageImage | undefined): Annotations {
  const [first] = base?.sources ?? [];
  if (first?.kind !== "image") return {};
  const [, name, digest] = /^docker-image:\/\/([^@]*)@(.*)$/.exec(first.image.identifier) ?? [];
  if (name === undefined || digest === undefined) return {};
  return { [baseNameAnnotation]: name, [baseDigestAnnotation]: digest };
}

function readContent({ descriptor, diffId }: CollectedLayer): LayerContent | undefined {
  const fingerprint = readFingerprint(descriptor);
  const canonical = readCanonical(descriptor.annotations) ?? diffId;
  return fingerprint === undefined ? undefined : { fingerprint, canonical };
}

/** The platform that was asked for; what only the environment knows of the same platform counts, too. */
function pickPlatform(environment: ImageConfig, wanted: string | undefined): Platform {
  const { architecture, os, variant } = environment;
  const own = { architecture, os, ...(variant === undefined || variant === "" ? {} : { variant }) };
  const platform = wanted === undefined ? undefined : parsePlatform(wanted, own);
  return platform === undefined || isSamePlatform(platform, own) ? own : platform;
}
