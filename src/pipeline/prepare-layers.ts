import { access, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { prepareLayersDirectory, type PreparedLayers as LaidOut } from "../layers/layers.ts";
import type { Digest } from "../oci/oci.ts";
import type { BuildPlan } from "../plan/plan.ts";
import { listMissingLayers } from "../store/store.ts";
import { blobPath, type Store } from "../store/store.ts";
import type { Run } from "../store/store.ts";
import { readState } from "../store/store.ts";
import type { LayerFiles } from "../copy/copy.ts";
import { countLayers, type BaseImage } from "./bases.ts";
import { fetchFrom, pickClaims } from "../delivery/delivery.ts";
import type { FoundImages } from "./previous.ts";
import type { BuildPorts, BuildRequest } from "./request.ts";
import { nameTarget } from "./target.ts";

export interface PreparedLayers {
  readonly directory: LaidOut;
  /** Under what the build's `output/state` is kept for the next one. */
  readonly stateKey: string;
  /** Layers whose bytes came for this build: the store does not have them yet. */
  readonly files: LayerFiles;
}

/** Lays out what the build finds under its OUTPUT path. */
export async function prepareLayers(
  store: Store,
  request: BuildRequest,
  plan: BuildPlan,
  run: Run,
  ports: BuildPorts,
  found: FoundImages,
  bases: readonly BaseImage[],
): Promise<PreparedLayers> {
  const { previous } = found;
  const input = request.input ?? plan.output.input;
  const files = input === "all" ? await bringAll(store, request, run, ports, found) : found.files;
  const stateKey = nameTarget(request, plan);
  const state = await readState(store, stateKey);
  // Of an earlier try something may be left that could not be removed.
  const root = await mkdtemp(join(run.layers, "target-"));
  const directory = await prepareLayersDirectory(root, request.helperDirectory, {
    previous,
    findBlob: async (digest) => (await findBlob(store, digest)) ?? files.get(digest),
    input,
    maxLayers: Math.max(request.maxLayers - countLayers(bases), 0),
    ...(state === undefined ? {} : { state }),
  });
  return { directory, stateKey, files };
}

/** What `--input=all` asks for: the layers of the previous images that are not here. */
async function bringAll(
  store: Store,
  request: BuildRequest,
  run: Run,
  ports: BuildPorts,
  { previous, files, locations }: FoundImages,
): Promise<LayerFiles> {
  const missing = await Promise.all(
    previous.map(async ({ image }) => pickClaims(image, await listMissingLayers(store, image))),
  );
  const wanted = missing.flat().filter(({ descriptor }) => !files.has(descriptor.digest));
  if (wanted.length === 0) return files;
  const fetched = await fetchFrom({ locations, claims: wanted }, request, ports, run);
  return new Map([...files, ...fetched.files]);
}

async function findBlob(store: Store, digest: Digest): Promise<string | undefined> {
  const path = blobPath(store, digest);
  try {
    await access(path);
    return path;
  } catch {
    return undefined;
  }
}
