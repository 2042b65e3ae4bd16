import type { CollectedOutput } from "../layers/layers.ts";
import { keyAnnotation } from "../oci/oci.ts";
import type { AssembleEntry, AssembleInput } from "../oci/oci.ts";
import { mergeConfig } from "../oci/oci.ts";
import type { ContainerConfig, HistoryEntry, Platform } from "../oci/oci.ts";
import { createAuthor, createConfig, describeMetadata } from "../plan/plan.ts";
import type { BuildPlan } from "../plan/plan.ts";
import { describeBase } from "./bases.ts";
import type { Collection } from "./collection.ts";
import type { BuildRequest } from "./request.ts";

/** Marks the history entries that stand for metadata instructions, so that a copied history does not pile them up. */
const metadataComment = "xbuild.metadata";

/** What the image consists of: layers and history as the build listed them, the config of all who have a say in it. */
export function describeImage(
  { request, plan, ports, inputs, bases, configs: evaluated }: Collection,
  output: CollectedOutput,
): AssembleInput {
  const configs = { ...evaluated, base: bases[0]?.image.config };
  const author = createAuthor(plan, configs);
  return {
    platform: pickPlatform(configs.environment),
    config: finishConfig(request, mergeConfig(createConfig(plan, configs), output.config ?? {})),
    ...(author === undefined ? {} : { author }),
    entries: [...listLayers(output), ...listMetadata(plan)],
    annotations: {
      ...describeBase(bases[0]),
      ...output.annotations,
      ...request.annotations,
      ...(inputs.key === undefined || !inputs.isPublic ? {} : { [keyAnnotation]: inputs.key }),
    },
    created: ports.now,
    ...(request.epoch === undefined ? {} : { epoch: request.epoch }),
  };
}

/** Labels of the command line come last, as the engines have it. */
function finishConfig(request: BuildRequest, config: ContainerConfig): ContainerConfig {
  return mergeConfig(config, { Labels: Object.fromEntries(request.labels) });
}

function pickPlatform(image: Platform): Platform {
  const { architecture, os, variant } = image;
  const rest = { "os.version": image["os.version"], "os.features": image["os.features"] };
  const given = Object.entries({ variant, ...rest }).filter(
    ([, value]) => value !== undefined && value !== "",
  );
  return { architecture, os, ...Object.fromEntries(given) };
}

function listLayers(output: CollectedOutput): readonly AssembleEntry[] {
  return output.entries.flatMap((one): readonly AssembleEntry[] => {
    if (one.kind === "empty") return isMetadataEntry(one.history) ? [] : [{ history: one.history }];
    const { history, descriptor, diffId } = one.layer;
    return [{ history, layer: { descriptor, diffId } }];
  });
}

function isMetadataEntry(entry: HistoryEntry): boolean {
  return entry.empty_layer === true && entry.comment === metadataComment;
}

function listMetadata(plan: BuildPlan): readonly AssembleEntry[] {
  return describeMetadata(plan).map((text) => ({
    history: { created_by: text, comment: metadataComment, empty_layer: true },
  }));
}
