import type { PreviousImage, PreviousImages } from "../layers/model.ts";
import { listHistory } from "../oci/history.ts";
import type { Image } from "../oci/model.ts";
import { listMissingLayers } from "../store/export.ts";
import { findImage } from "../store/images.ts";
import type { Store } from "../store/paths.ts";
import type { Run } from "../store/runs.ts";
import type { BuildRequest } from "./request.ts";

export interface FoundImages {
  /** What the build may keep layers of. */
  readonly previous: PreviousImages;
  /** The first of them as it is in the store. */
  readonly last: Image | undefined;
}

/**
 * The images whose layers the build may keep: those that its names stand for in the store, in the
 * order given. They are held, so that a prune beside us does not take them away. A layer whose bytes
 * the store has lost is no longer offered: what the build writes takes its place.
 */
export async function findPreviousImages(
  store: Store,
  request: BuildRequest,
  run: Run,
): Promise<FoundImages> {
  const found: PreviousImage[] = [];
  let last: Image | undefined;
  for (const name of request.names) {
    const image = await findImage(store, name.full);
    if (image === undefined || found.some((one) => one.image.digest === image.digest)) continue;
    if (!(await run.hold(image))) continue;
    last ??= image;
    found.push({
      reference: `${name.full}@${image.digest}`,
      image: await withoutLostLayers(store, image),
      trusted: true,
    });
  }
  return { previous: found, last };
}

async function withoutLostLayers(store: Store, image: Image): Promise<Image> {
  const lost = new Set((await listMissingLayers(store, image)).map((layer) => layer.digest));
  if (lost.size === 0) return image;
  const items = listHistory(image).filter(
    ({ layer }) => layer === undefined || !lost.has(layer.descriptor.digest),
  );
  const layers = items.flatMap(({ layer }) => (layer === undefined ? [] : [layer]));
  return {
    ...image,
    manifest: { ...image.manifest, layers: layers.map((layer) => layer.descriptor) },
    config: {
      ...image.config,
      rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
      history: items.map(({ entry }) => entry),
    },
  };
}
