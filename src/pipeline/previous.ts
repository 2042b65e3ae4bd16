import type { PreviousImage, PreviousImages } from "../layers/layers.ts";
import type { Digest, Image, Location } from "../oci/oci.ts";
import { findImage, findNameOf } from "../store/store.ts";
import { findLastImage, findLastTarget } from "./last-build.ts";
import { describeStored } from "./stored-previous.ts";
import type { Build, BuildRunWorkspace } from "./workspace.ts";

/** What is known of earlier images before the store is looked into. */
export interface EarlierImages {
  /** Those that are named: most are elsewhere. */
  readonly remotes: readonly PreviousImage[];
  /** Layers that proved to be nowhere, or not what is said of them. */
  readonly useless: ReadonlySet<Digest>;
}

/**
 * The images whose layers the build may keep, the nearest first: what --cache-from names; what its names stand for in the
 * store; the last build of the same, whatever its tag; what its names stand for in the registry that it goes to; what
 * --cache-tags found. A stage on the way to the target begins with its own last one. Those of the store are held, so that
 * a prune beside us does not take them away.
 */
export async function findPrevious(
  build: Build,
  { remotes, useless }: EarlierImages,
  work: BuildRunWorkspace,
): Promise<PreviousImages> {
  const elsewhere = remotes.flatMap((one) => one.locations);
  const all = [
    ...(await findOwn(build, elsewhere, work)),
    ...remotes.filter((one) => one.origin === "named"),
    ...(await findTagged(build, elsewhere, work)),
    ...(await findLast(build, elsewhere, work)),
    ...remotes.filter((one) => one.origin === "pushed" || one.origin === "tags"),
  ];
  return joinEqual(all).map((one) => withhold(one, useless));
}

function withhold(previous: PreviousImage, useless: ReadonlySet<Digest>): PreviousImage {
  return { ...previous, withheld: new Set([...previous.withheld, ...useless]) };
}

/** The whole images, the one that the first name stands for in the store before the others, then other ones built here. */
export function listImages(previous: PreviousImages): readonly Image[] {
  return [...previous].sort((a, b) => rank(a) - rank(b)).map((one) => one.image);
}

function rank({ origin }: PreviousImage): number {
  const at = (["store", "last"] as const).findIndex((one) => one === origin);
  return at < 0 ? 2 : at;
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

type Elsewhere = readonly Location[];

/** The last image of a stage that is not the file's target. */
async function findOwn(
  build: Build,
  elsewhere: Elsewhere,
  work: BuildRunWorkspace,
): Promise<PreviousImages> {
  const { target, graph } = build.plan;
  if (target.index === graph.target) return [];
  const image = await findLastImage(build, work.store);
  if (image === undefined) return [];
  return describeStored({ name: target.name, image, origin: "last", elsewhere }, work);
}

async function findTagged(
  { request: { reuse } }: Build,
  elsewhere: Elsewhere,
  work: BuildRunWorkspace,
): Promise<PreviousImages> {
  const tagged: PreviousImage[] = [];
  for (const { full } of reuse.names) {
    const image = await findImage(work.store, full, reuse.platform);
    if (image === undefined) continue;
    tagged.push(...(await describeStored({ name: full, image, origin: "store", elsewhere }, work)));
  }
  return tagged;
}

/** It is told by a tag that it still has. */
async function findLast(
  build: Build,
  elsewhere: Elsewhere,
  work: BuildRunWorkspace,
): Promise<PreviousImages> {
  const image = await findLastTarget(build, work.store);
  if (image === undefined) return [];
  const name = await findNameOf(work.store, image.digest);
  return describeStored({ name, image, origin: "last", elsewhere }, work);
}
