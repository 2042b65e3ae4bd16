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
  packContents,
  parsePlatform,
  type Platform,
  readCanonical,
  readFingerprint,
} from "../oci/oci.ts";
import type { CollectedLayer } from "../layers/layers.ts";
import { composeImage } from "../pipeline/pipeline.ts";
import type { StageParts } from "./compose-stage.ts";
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
  const made = encodeJson({ ...assembleImage(input).config, [layersKey]: key });
  const isTimed = limits.epoch !== undefined;
  const content = describeContent(made, isTimed);
  const same = previous.find((one) => describeContent(one.config, isTimed) === content);
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

function readContent({ descriptor, diffId }: CollectedLayer): LayerContent | undefined {
  const fingerprint = readFingerprint(descriptor);
  const canonical = readCanonical(descriptor.annotations) ?? diffId;
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
