import type { PreviousImage, PreviousImages } from "../layers/layers.ts";
import type { Digest, Image, Location } from "../oci/oci.ts";
import {
  findImage,
  findRef,
  listMissingLayers,
  readImage,
  readLocations,
  type Store,
} from "../store/store.ts";
import type { BuildRequest } from "./request.ts";
import type { BuildRunWorkspace } from "./workspace.ts";

/** What is known of earlier images before the store is looked into. */
export interface EarlierImages {
  /** Those that are elsewhere. */
  readonly remotes: readonly PreviousImage[];
  /** Layers that proved to be nowhere, or not what is said of them. */
  readonly useless: ReadonlySet<Digest>;
  /** The stage whose own last build comes first: one that is not the target. */
  readonly stage?: { readonly name: string; readonly key: string } | undefined;
}

/**
 * The images whose layers the build may keep: its own last one, where it is no target; those that --cache-from names, those that its names stand for
 * in the store, and those that its names stand for in the registry that it goes to. Those of the store are
 * held, so that a prune beside us does not take them away.
 */
export async function findPrevious(
  request: BuildRequest,
  { remotes, useless, stage }: EarlierImages,
  work: BuildRunWorkspace,
): Promise<PreviousImages> {
  const elsewhere = remotes.flatMap((one) => one.locations);
  const last = stage === undefined ? undefined : await findLast(stage, work);
  const local = await findStored(request, elsewhere, work);
  const all = [
    ...(last === undefined ? [] : await describeStored(last, elsewhere, work)),
    ...remotes.filter((one) => one.origin === "named"),
    ...local,
    ...remotes.filter((one) => one.origin === "pushed"),
  ];
  return joinEqual(all).map((one) => withhold(one, useless));
}

function withhold(previous: PreviousImage, useless: ReadonlySet<Digest>): PreviousImage {
  return { ...previous, withheld: new Set([...previous.withheld, ...useless]) };
}

/** The whole images, the one that the first name stands for in the store before the others. */
export function listImages(previous: PreviousImages): readonly Image[] {
  const local = previous.filter((one) => one.origin === "store");
  return [...local, ...previous.filter((one) => one.origin !== "store")].map((one) => one.image);
}

/** An image that several names stand for is one, and may be had in several places. */
function joinEqual(images: PreviousImages): PreviousImages {
  const joined = new Map<Digest, PreviousImage>();
  for (const one of images) {
    const first = joined.get(one.image.digest);
    joined.set(one.image.digest, first === undefined ? one : joinPlaces(first, one));
  }
  return [...joined.values()];
}

function joinPlaces(first: PreviousImage, other: PreviousImage): PreviousImage {
  return {
    ...first,
    locations: [...first.locations, ...other.locations],
    files: new Map([...first.files, ...other.files]),
  };
}

interface StoredImage {
  /** As the user would name it. */
  readonly name: string;
  readonly image: Image;
}

async function findLast(
  { name, key }: NonNullable<EarlierImages["stage"]>,
  { store }: BuildRunWorkspace,
): Promise<StoredImage | undefined> {
  const ref = await findRef(store, key);
  const image = ref === undefined ? undefined : await readImage(store, ref.manifest);
  return image === undefined ? undefined : { name, image };
}

async function findStored(
  { reuse }: BuildRequest,
  elsewhere: readonly Location[],
  work: BuildRunWorkspace,
): Promise<PreviousImages> {
  const stored: PreviousImage[] = [];
  for (const { full } of reuse.names) {
    const image = await findImage(work.store, full, reuse.platform);
    if (image === undefined) continue;
    stored.push(...(await describeStored({ name: full, image }, elsewhere, work)));
  }
  return stored;
}

/** None where a prune has taken it away. */
async function describeStored(
  { name, image }: StoredImage,
  elsewhere: readonly Location[],
  { store, run }: BuildRunWorkspace,
): Promise<PreviousImages> {
  if (!(await run.hold(image))) return [];
  const locations = await readLocations(store, image.digest);
  return [
    {
      reference: `${name}@${image.digest}`,
      image,
      origin: "store",
      isDestination: false,
      trusted: true,
      withheld: await listUnavailable(image, [...locations, ...elsewhere], store),
      locations,
      files: new Map(),
    },
  ];
}

/** Layers that are neither here nor in a registry. */
async function listUnavailable(
  image: Image,
  locations: readonly Location[],
  store: Store,
): Promise<ReadonlySet<Digest>> {
  const known = new Set<Digest>(locations.flatMap((one) => one.layers));
  const missing = (await listMissingLayers(store, image)).map((layer) => layer.digest);
  return new Set(missing.filter((digest) => !known.has(digest)));
}
