import type { PreviousImage, PreviousImages } from "../layers/layers.ts";
import { dropFingerprints } from "../oci/oci.ts";
import { listHistory } from "../oci/oci.ts";
import type { Digest, Image } from "../oci/oci.ts";
import { listMissingLayers } from "../store/store.ts";
import { findImage } from "../store/store.ts";
import { readLocations, type Location } from "../store/store.ts";
import type { Store } from "../store/store.ts";
import type { Run } from "../store/store.ts";
import type { LayerFiles } from "../copy/copy.ts";
import type { RemoteImage } from "./remotes.ts";
import type { BuildRequest } from "./request.ts";

export interface FoundImages {
  /** What the build may keep layers of. */
  readonly previous: PreviousImages;
  /** The images as they are, the one that the first name stands for in the store before the others. */
  readonly last: readonly Image[];
  /** Where layers of theirs are in registries, the first image's first. */
  readonly locations: readonly Location[];
  /** Bytes of their layers that are in no store: they came with an image from elsewhere. */
  readonly files: LayerFiles;
}

/**
 * The images whose layers the build may keep: those that --cache-from names, those that its names stand for
 * in the store, and those that its names stand for in the registry that it goes to. Those of the store are
 * held, so that a prune beside us does not take them away. Layers in `gone` are not offered.
 */
export async function findPreviousImages(
  store: Store,
  request: BuildRequest,
  run: Run,
  remotes: readonly RemoteImage[],
  gone: ReadonlySet<Digest> = new Set(),
): Promise<FoundImages> {
  const elsewhere = remotes.flatMap((one) => one.locations);
  const local = await findLocalImages(store, request, run, { elsewhere, gone });
  const trusted = request.trustCache !== "none";
  const describe = (one: RemoteImage): FoundImage => describeRemote(one, gone, trusted);
  const found: readonly FoundImage[] = [
    ...remotes.filter((one) => one.isNamed).map(describe),
    ...local,
    ...remotes.filter((one) => !one.isNamed).map(describe),
  ];
  const unique = found.filter(
    (one, index) => found.findIndex((other) => other.whole.digest === one.whole.digest) === index,
  );
  return {
    previous: unique.map((one) => one.previous),
    last: [...local, ...unique].map((one) => one.whole),
    locations: found.flatMap((one) => one.locations),
    files: new Map(found.flatMap((one) => Array.from(one.files))),
  };
}

interface FoundImage {
  readonly previous: PreviousImage;
  readonly whole: Image;
  readonly locations: readonly Location[];
  readonly files: LayerFiles;
}

function describeRemote(
  { name, image, locations, files }: RemoteImage,
  gone: ReadonlySet<Digest>,
  trusted: boolean,
): FoundImage {
  const previous = { reference: name, image: withoutLayers(image, gone), trusted };
  return { previous, whole: image, locations, files };
}

interface Whereabouts {
  /** Where layers of other images are. */
  readonly elsewhere: readonly Location[];
  readonly gone: ReadonlySet<Digest>;
}

async function findLocalImages(
  store: Store,
  request: BuildRequest,
  run: Run,
  { elsewhere, gone }: Whereabouts,
): Promise<readonly FoundImage[]> {
  const found: FoundImage[] = [];
  for (const name of request.names) {
    const image = await findImage(store, name.full);
    if (image === undefined || !(await run.hold(image))) continue;
    const locations = await readLocations(store, image.digest);
    const lost = await listLost(store, image, [...locations, ...elsewhere]);
    const previous: PreviousImage = {
      reference: `${name.full}@${image.digest}`,
      image: withoutLayers(image, new Set([...lost, ...gone])),
      trusted: true,
    };
    found.push({ previous, whole: image, locations, files: new Map() });
  }
  return found;
}

/** Layers that are neither here nor in a registry. */
async function listLost(
  store: Store,
  image: Image,
  locations: readonly Location[],
): Promise<readonly Digest[]> {
  const known = new Set<Digest>(locations.flatMap((one) => one.layers));
  const missing = (await listMissingLayers(store, image)).map((layer) => layer.digest);
  return missing.filter((digest) => !known.has(digest));
}

/** The image as if it had never had these layers: what the build writes takes their place. */
function withoutLayers(image: Image, lost: ReadonlySet<Digest>): Image {
  if (!image.manifest.layers.some((layer) => lost.has(layer.digest))) return image;
  const items = listHistory(image).filter(
    ({ layer }) => layer === undefined || !lost.has(layer.descriptor.digest),
  );
  const layers = items.flatMap(({ layer }) => (layer === undefined ? [] : [layer]));
  return {
    ...image,
    manifest: {
      ...image.manifest,
      layers: layers.map((layer) => layer.descriptor),
      annotations: dropFingerprints(image.manifest.annotations),
    },
    config: {
      ...image.config,
      rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
      history: items.map(({ entry }) => entry),
    },
  };
}
