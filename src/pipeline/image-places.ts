import { join } from "node:path";
import { layOutImage } from "../delivery/delivery.ts";
import { XbuildError } from "../errors.ts";
import type { Image } from "../oci/oci.ts";
import { readImage } from "../store/store.ts";
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
  let count = 0;
  for (const [key, source] of sources) {
    const id = images.get(key);
    if (id === undefined) continue;
    if ("registry" in source) {
      const readConfig = (): Promise<Uint8Array> => readStoredConfig(id, work);
      places.set(key, { source: { kind: "registry", name: source.registry }, readConfig });
    } else {
      count += 1;
      const image = await readImage(work.store, source.stored);
      if (image === undefined) throw removedMeanwhile(key);
      places.set(key, await placeImage({ image, name: key }, `image-${count}`, work));
    }
  }
  for (const index of listUsed(build)) {
    const stage = stages.get(index);
    if (stage !== undefined)
      places.set(nameBuilt(index), await placeImage(stage, `stage-${index}`, work));
  }
  return places;
}

function removedMeanwhile(name: string): XbuildError {
  return new XbuildError("image-pull-failed", `the image ${name} is no longer in the store`, {
    hint: "build again: another process removed it in the meantime",
  });
}

async function placeImage(
  { image, name }: { readonly image: Image; readonly name: string },
  own: string,
  work: BuildRunWorkspace,
): Promise<ImagePlace> {
  const directory = join(work.run.directory, `layout-${own}`);
  const layOut = (): Promise<void> => layOutImage(image, directory, work);
  await inBriefStep(`Laying out ${name}`, layOut, work);
  const { digest } = image;
  return {
    source: { kind: "layout", directory, digest },
    readConfig: () => Promise.resolve(image.configBytes),
  };
}
