import { join } from "node:path";
import { layOutImage } from "../delivery/delivery.ts";
import type { Digest, Image } from "../oci/oci.ts";
import { inBriefStep } from "../reporter.ts";
import type { ImagePlace } from "../engine/engine.ts";
import { readStoredConfig } from "./base-facts.ts";
import { listUsed } from "./load-stages.ts";
import { nameBuilt } from "./resolve-images.ts";
import type { Build, BuildRunWorkspace } from "./workspace.ts";

/**
 * Where the images are that a build's steps use, by their keys, for an engine elsewhere: those of registries by digest,
 * those of other stages in a layout of the run's own, which their missing layers are fetched into. Empty for an engine
 * that holds images.
 */
export async function listPlaces(
  build: Build,
  work: BuildRunWorkspace,
): Promise<ReadonlyMap<string, ImagePlace>> {
  const places = new Map<string, ImagePlace>();
  if (!work.engine.isElsewhere) return places;
  const { images, sources, stages } = build.inputs;
  for (const [key, name] of sources) {
    const id = images.get(key);
    if (id === undefined) continue;
    places.set(key, {
      source: { kind: "registry", name },
      readConfig: () => readStoredConfig(id, work),
    });
  }
  for (const index of listUsed(build)) {
    const stage = stages.get(index);
    if (stage !== undefined) places.set(nameBuilt(index), await placeStage(stage, index, work));
  }
  return places;
}

async function placeStage(
  { image, name }: { readonly image: Image; readonly name: string },
  index: number,
  work: BuildRunWorkspace,
): Promise<ImagePlace> {
  const directory = join(work.run.directory, `stage-${index}`);
  const layOut = (): Promise<void> => layOutImage(image, directory, work);
  await inBriefStep(`Laying out the stage ${name}`, layOut, work);
  const digest: Digest = image.digest;
  return {
    source: { kind: "layout", directory, digest },
    readConfig: () => Promise.resolve(image.configBytes),
  };
}
