import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Compression, refuse } from "../archive/archive.ts";
import { createLocalReference, openStoredLayers } from "../copy/copy.ts";
import { XbuildError } from "../errors.ts";
import {
  type ArchiveLayer,
  assertLayerLimit,
  collectArchives,
  type CollectedEntry,
  type CollectedLayer,
  type CollectedOutput,
  type CollectOptions,
  type PreviousImages,
  type Reuse,
} from "../layers/layers.ts";
import type { Digest, ImageConfig } from "../oci/oci.ts";
import { quoteText } from "../text.ts";
import type { BaseImage } from "./bases.ts";
import { type EngineEntry, listEngineEntries } from "./engine-history.ts";
import type { Build, BuildRunWorkspace } from "./workspace.ts";

/** A stage without an OUTPUT, as the engine built it, that becomes an image of ours. */
export interface EngineStage {
  /** Of the engine's image. */
  readonly id: Digest;
  /** Its config, with a history as users are to read it. */
  readonly config: ImageConfig;
  /** The stage as the user knows it. */
  readonly name: string;
  /** The lowest base: its layers are the image's lowest. None where that is `scratch`. */
  readonly base: Pick<BaseImage, "image"> | undefined;
  readonly previous: PreviousImages;
  readonly compression: Compression;
  /** As OUTPUT's `--reuse`. */
  readonly reuse: Reuse | undefined;
}

/**
 * The layers and the history that the engine's image of a stage has above its base. Each layer's archive is taken out of the
 * engine's storage and treated as a loose layer of a build is: checked, packed canonically, compressed by us, or found equal
 * to one of a previous image. Its name is its history entry's `created_by`. A few archives are on disk at once, and none is
 * in memory. A layer with nothing in it becomes an entry without a layer, as BuildKit has it; steps of ours are left out.
 * Errors: `layer-...`, `layers-too-many`, `copy-failed`, `store-full`, `zstd-not-found`.
 */
export async function collectEngineStage(
  { request }: Pick<Build, "request">,
  stage: EngineStage,
  work: Pick<BuildRunWorkspace, "engine" | "run" | "signal"> &
    Partial<Pick<CollectOptions, "onProgress">>,
): Promise<CollectedOutput> {
  const { config: image, base, previous, compression, reuse } = stage;
  assertBase(image, base?.image.config);
  const entries = listEngineEntries(image, base?.image.config);
  const { maxLayers, maxLayerSize } = request.layers;
  const scratch = await mkdtemp(join(work.run.directory, "stage-"));
  try {
    const archives = await listArchives(entries, { stage, scratch }, work);
    const { staging } = work.run;
    const options = { reuse, compression, staging, maxLayerSize, epoch: request.steps.epoch };
    const { signal, onProgress } = work;
    const layers = await collectArchives(archives, {
      ...options,
      previous,
      signal,
      onProgress,
      // A RUN may make one: it is the image's, as it would be the engine's.
      allowDevices: true,
    });
    const baseLayers = base?.image.config.rootfs.diff_ids.length ?? 0;
    const count = baseLayers + layers.filter((one) => one !== undefined).length;
    assertLayerLimit(count, { maxLayers, baseLayers }, describeLimit(stage));
    return { ...nothingSaid, entries: joinEntries(entries, layers) };
  } catch (error) {
    throw explainLayer(error);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

const nothingSaid = { config: undefined, annotations: {}, warnings: [], state: undefined } as const;

function assertBase(image: ImageConfig, base: ImageConfig | undefined): void {
  const diffIds = base?.rootfs.diff_ids ?? [];
  if (diffIds.every((diffId, index) => image.rootfs.diff_ids[index] === diffId)) return;
  const message = "the engine's image of the stage does not stand on the layers of its base";
  throw new XbuildError("engine-failed", message, {
    hint: "build again, with another builder if that does not help",
  });
}

interface StoredStage {
  readonly stage: EngineStage;
  readonly scratch: string;
}

async function listArchives(
  entries: readonly EngineEntry[],
  { stage, scratch }: StoredStage,
  { engine }: Pick<BuildRunWorkspace, "engine">,
): Promise<readonly ArchiveLayer[]> {
  const where = showStage(stage);
  const take = await openStoredLayers({
    reference: createLocalReference(engine.locateImage(stage.id)),
    diffIds: stage.config.rootfs.diff_ids,
    scratch: join(scratch, "layout"),
    what: `read a layer of ${where} from the engine's storage`,
  });
  return entries.flatMap(({ history, diffId }) => {
    if (diffId === undefined) return [];
    const shown = `${where}, layer of ${quoteText(history.created_by ?? "")}`;
    return [{ history, shown, bring: (signal) => take(diffId, signal) }];
  });
}

/** As errors have it in the place of a file. */
function showStage({ name }: EngineStage): string {
  return `stage ${quoteText(name)}`;
}

function describeLimit(stage: EngineStage): Parameters<typeof assertLayerLimit>[2] {
  const hint = "join RUN instructions of the stage, or raise --max-layers";
  return { file: showStage(stage), below: "its base", hint };
}

/** The entries of the image, `layers` being those of its layers in order; empty ones are none. */
function joinEntries(
  entries: readonly EngineEntry[],
  layers: readonly (CollectedLayer | undefined)[],
): readonly CollectedEntry[] {
  const rest = layers.values();
  return entries.flatMap(({ history, diffId, isOurs }): readonly CollectedEntry[] => {
    const layer = diffId === undefined ? undefined : rest.next().value;
    if (layer !== undefined) return [{ kind: "layer", layer }];
    return isOurs ? [] : [{ kind: "empty", history: { ...history, empty_layer: true } }];
  });
}

const hints = new Map([
  ["layer-tar-whiteout", "give no file a name that begins with .wh.: in a layer it removes others"],
  ["layer-too-many-entries", "spread the files over several instructions"],
  ["layer-too-large", "spread the files over several instructions, or raise --max-layer-size"],
]);
const otherHint = "build with --no-cache, so that the engine makes the layer anew";

/** What is refused of an archive has a hint for who wrote it: here the engine did. */
function explainLayer(error: unknown): unknown {
  if (!(error instanceof XbuildError) || !error.code.startsWith("layer-")) return error;
  const [found] = error.diagnostics;
  if (found?.file === undefined) return error;
  const hint = hints.get(error.code) ?? otherHint;
  return refuse(error.code, found.message, { file: found.file, hint, cause: error });
}
