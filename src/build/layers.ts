import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { PreviousImages } from "../layers/model.ts";
import { prepareLayersDirectory, type PreparedLayers as LaidOut } from "../layers/prepare.ts";
import type { Digest } from "../oci/model.ts";
import type { BuildPlan } from "../plan/model.ts";
import { blobPath, type Store } from "../store/paths.ts";
import type { Run } from "../store/runs.ts";
import { readState } from "../store/state.ts";
import type { BuildRequest } from "./request.ts";
import { nameTarget } from "./target.ts";

export interface PreparedLayers {
  readonly directory: LaidOut;
  /** Under what the build's `output/state` is kept for the next one. */
  readonly stateKey: string;
}

/** Lays out what the build finds under its OUTPUT path. */
export async function prepareLayers(
  store: Store,
  request: BuildRequest,
  plan: BuildPlan,
  run: Run,
  previous: PreviousImages,
): Promise<PreparedLayers> {
  const stateKey = nameTarget(request, plan);
  const state = await readState(store, stateKey);
  const root = join(run.layers, "target");
  await mkdir(root);
  const directory = await prepareLayersDirectory(root, request.helperDirectory, {
    previous,
    findBlob: (digest) => findBlob(store, digest),
    input: plan.output.input,
    maxLayers: request.maxLayers,
    ...(state === undefined ? {} : { state }),
  });
  return { directory, stateKey };
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
