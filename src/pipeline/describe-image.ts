import type { CollectedOutput } from "../layers/layers.ts";
import {
  type AssembleEntry,
  type AssembleInput,
  type ContainerConfig,
  type HistoryEntry,
  keyAnnotation,
  isSamePlatform,
  mergeConfig,
  type Platform,
} from "../oci/oci.ts";
import { createAuthor, createConfig, describeMetadata, type StagePlan } from "../plan/plan.ts";
import { describeBase } from "./bases.ts";
import type { BuildRequest, ImageRequest } from "./request.ts";
import type { StepsResult } from "./prepare-layers.ts";
import type { Build } from "./workspace.ts";

/** Marks the history entries that stand for metadata instructions, so that a copied history does not pile them up. */
const metadataComment = "xbuild.metadata";

/** What the image consists of: layers and history as the build listed them, the config of all who have a say in it. */
export async function describeImage(
  { plan: { target }, request, inputs }: Build,
  output: CollectedOutput,
  { bases, configs: evaluated, now }: StepsResult & { readonly now: string },
): Promise<AssembleInput> {
  const { image, steps } = request;
  const configs = { ...(await evaluated), base: bases[0]?.image.config };
  return {
    platform: pickPlatform(configs.environment, request),
    ...composeImage(target, { output, configs, image }),
    annotations: {
      ...describeBase(bases[0]),
      ...output.annotations,
      ...image.annotations,
      ...(inputs.key === undefined || !inputs.isPublic ? {} : { [keyAnnotation]: inputs.key }),
    },
    created: now,
    ...(steps.epoch === undefined ? {} : { epoch: steps.epoch }),
  };
}

/** What an image is composed of. */
export interface ImageParts {
  readonly output: Pick<CollectedOutput, "config" | "entries">;
  readonly configs: Parameters<typeof createConfig>[1];
  readonly image: Pick<ImageRequest, "labels">;
}

/** What the file, the build's output and the command line say of an image together. */
export function composeImage(
  target: StagePlan,
  { output, configs, image }: ImageParts,
): Pick<AssembleInput, "config" | "author" | "entries"> {
  const author = createAuthor(target, configs);
  const config = mergeConfig(createConfig(target, configs), output.config ?? {});
  return {
    config: finishConfig(image, config),
    ...(author === undefined ? {} : { author }),
    entries: [...listLayers(output), ...listMetadata(target)],
  };
}

/** Labels of the command line come last, as the engines have it. */
export function finishConfig(
  { labels }: Pick<ImageRequest, "labels">,
  config: ContainerConfig,
): ContainerConfig {
  return mergeConfig(config, { Labels: Object.fromEntries(labels) });
}

/**
 * The platform that was asked for, whatever the environment's config says: one on the build platform may write layers
 * for another. What only the environment knows of the same platform counts, too.
 */
function pickPlatform(environment: Platform, { steps, reuse }: BuildRequest): Platform {
  if (steps.platform === undefined || isSamePlatform(environment, reuse.platform)) {
    const { architecture, os } = environment;
    return { architecture, os, ...listOptional(environment) };
  }
  return { ...reuse.platform };
}

function listOptional(image: Platform): Partial<Platform> {
  const { variant } = image;
  const rest = { "os.version": image["os.version"], "os.features": image["os.features"] };
  const given = Object.entries({ variant, ...rest }).filter(
    ([, value]) => value !== undefined && value !== "",
  );
  return Object.fromEntries(given);
}

function listLayers(output: Pick<CollectedOutput, "entries">): readonly AssembleEntry[] {
  return output.entries.flatMap((one): readonly AssembleEntry[] => {
    if (one.kind === "empty") return isMetadataEntry(one.history) ? [] : [{ history: one.history }];
    const { history, descriptor, diffId } = one.layer;
    return [{ history, layer: { descriptor, diffId } }];
  });
}

function isMetadataEntry(entry: HistoryEntry): boolean {
  return entry.empty_layer === true && entry.comment === metadataComment;
}

function listMetadata(target: StagePlan): readonly AssembleEntry[] {
  return describeMetadata(target).map((text) => ({
    history: { created_by: text, comment: metadataComment, empty_layer: true },
  }));
}
