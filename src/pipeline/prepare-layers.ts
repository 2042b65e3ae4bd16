import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import type { OutputOptions } from "../containerfile/containerfile.ts";
import { fetchFrom, pickClaims } from "../delivery/delivery.ts";
import {
  type EarlyLayers,
  type PreparedLayers as PreparedDirectory,
  prepareLayersDirectory,
  type PreviousImages,
  type ReceivedOutput,
  type Release,
} from "../layers/layers.ts";
import type { Digest, ImageConfig, LayerFiles } from "../oci/oci.ts";
import { findBlob, listMissingLayers } from "../store/store.ts";
import type { ArrangedBases } from "./arrange-bases.ts";
import type { BaseImage } from "./bases.ts";
import { describeTimes, findLastState, hasTimes } from "./last-state.ts";
import type { Build, BuildRunWorkspace } from "./workspace.ts";

export interface PreparedLayers {
  readonly directory: PreparedDirectory;
  /** Layers whose bytes came for this build: the store does not have them yet. */
  readonly files: LayerFiles;
}

/** Images whose layers the build may keep, and those whose layers stand below. */
export interface LayersBefore {
  readonly previous: PreviousImages;
  readonly bases: readonly BaseImage[];
  /** How the layers of the bases stand below those of the build. */
  readonly arranged: ArrangedBases;
}

/** What the engine made of a stage, the layers apart. */
export interface StageConfigs {
  readonly environment: ImageConfig;
  /** That of the metadata instructions behind OUTPUT. */
  readonly layering: ImageConfig;
}

/** What the steps of a build came to: all that its image is made of. */
export interface StepsResult extends LayersBefore {
  readonly configs: Promise<StageConfigs> | StageConfigs;
  /** Layers that steps wrote below the path of an OUTPUT, or those of an image that the engine made. */
  readonly made: MadeLayers | MadeImage;
}

export interface MadeLayers {
  readonly kind: "directory";
  readonly output: OutputOptions;
  readonly prepared: PreparedLayers;
  /** Whether the directory is there when the build has ended. */
  readonly lasts?: boolean;
  /** What was packed of it while the steps ran. */
  readonly early?: EarlyLayers;
  /** How it came here, where the steps ran elsewhere. */
  readonly received?: ReceivedOutput | undefined;
  /** Whether the engine is still at work there, as far as that is known: a process of a step may be overlooked. */
  readonly isBusy?: () => boolean;
}

export interface MadeImage {
  readonly kind: "engine";
  readonly id: Digest;
  readonly config: ImageConfig;
}

interface LayersFound extends LayersBefore, Pick<MadeLayers, "output"> {
  /** Of which steps hear, the oldest first. */
  readonly releases: readonly Release[];
}

/** Lays out what the build finds under its OUTPUT path. */
export async function prepareLayers(
  { plan, request }: Build,
  { previous, arranged, output, releases }: LayersFound,
  work: BuildRunWorkspace,
): Promise<PreparedLayers> {
  const { store, run } = work;
  const { layers } = request;
  // Blobs are not cheap on their way to another machine: there whoever wants them says so.
  const own = work.engine.isElsewhere && !output.isInputGiven ? "none" : output.input;
  const input = layers.input ?? own;
  const known = new Map(previous.flatMap((one) => [...one.files]));
  const files = input === "all" ? await bringAll(previous, known, work) : known;
  const state = await findLastState({ plan, request }, store);
  const times = describeTimes(request, output.reuse);
  // Of an earlier try something may be left that could not be removed.
  const root = await mkdtemp(join(run.layers, "target-"));
  const directory = await prepareLayersDirectory(root, layers.helperDirectory, {
    previous,
    findBlob: async (digest) => (await findBlob(store, { digest })) ?? files.get(digest),
    input,
    maxLayers: Math.max(layers.maxLayers - arranged.layerCount, 0),
    releases,
    baseLayers: arranged.layerCount,
    // What the helper keeps of its image it would pack anew to the same bytes.
    ...(state && { state: hasTimes(state, times) ? state : { ...state, image: undefined } }),
  });
  return { directory, files };
}

/** What `--input=all` asks for: the layers of the previous images that are not here. */
export async function bringAll(
  previous: PreviousImages,
  files: LayerFiles,
  work: BuildRunWorkspace,
): Promise<LayerFiles> {
  const missing = await Promise.all(
    previous.map(async ({ image, withheld }) => {
      const layers = await listMissingLayers(work.store, image);
      return pickClaims(
        image,
        layers.filter(({ digest }) => !withheld.has(digest)),
      );
    }),
  );
  const claims = missing.flat().filter(({ descriptor }) => !files.has(descriptor.digest));
  if (claims.length === 0) return files;
  const locations = previous.flatMap((one) => one.locations);
  const fetched = await fetchFrom({ locations, claims }, work);
  return new Map([...files, ...fetched.files]);
}
