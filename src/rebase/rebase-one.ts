import type { RunWorkspace } from "../delivery/delivery.ts";
import { XbuildError } from "../errors.ts";
import {
  baseDigestAnnotation,
  type Image,
  isBuiltOn,
  narrowLocations,
  platformOf,
  rebaseImage,
  sumMissing,
} from "../oci/oci.ts";
import { commitImage, findNamed, readLocations, type Store } from "../store/store.ts";
import { checkConflicts } from "./rebase-check.ts";
import type { NamedBase, RebaseRequest, RebaseResult, RebaseWorkspace } from "./rebase-request.ts";
import { readOldBase, readSource, type Source } from "./rebase-sources.ts";

/** What is told of an image that was rebased. */
export function describeRebased({ image, rebased, isUpToDate, from, onto }: Rebased): RebaseResult {
  const download = sumMissing(rebased.manifest.layers, image.image.manifest.layers);
  const bases = { from: describeBase(from), onto: describeBase(onto) };
  return { image: rebased, download, isUpToDate, ...bases };
}

/** The image on its new base, checked. Errors: `layers-too-many`, `rebase-*` */
export async function rebaseOne(
  request: RebaseRequest,
  sources: Sources,
  work: RebaseRunWorkspace,
): Promise<Rebased> {
  const { image, from, onto } = sources;
  const images = { image: image.image, from: from.image, onto: onto.image };
  const rebased = rebaseImage({ ...images, name: onto.registryName, created: work.now });
  const isUpToDate = rebased.digest === image.image.digest;
  if (!isUpToDate) {
    assertCount(rebased, request);
    await check(request, sources, work);
  }
  return { ...sources, rebased, isUpToDate };
}

export type RebaseRunWorkspace = RebaseWorkspace & RunWorkspace;

/** An engine could not run it. Errors: `layers-too-many`. */
function assertCount({ manifest: { layers } }: Image, { maxLayers }: RebaseRequest): void {
  if (layers.length <= maxLayers) return;
  const message = `the image would have ${layers.length} layers on the new base, but ${maxLayers} is the limit`;
  const hint = "build it again with fewer layers, name a base with fewer, or raise --max-layers";
  throw new XbuildError("layers-too-many", message, { hint });
}

export interface Sources {
  readonly image: Source;
  readonly from: Source;
  readonly onto: Source;
}

/** The old base, of the image's platform, with the new one. Errors: `rebase-base-unknown`, `image-*`, `registry-*` */
export async function readBases(
  request: RebaseRequest,
  { image, onto }: Omit<Sources, "from">,
  work: RunWorkspace,
): Promise<Sources> {
  const platform = platformOf(image.image);
  // What stands on the new base already is done, whatever it stood on before.
  const digest = image.image.manifest.annotations?.[baseDigestAnnotation];
  if (digest === onto.image.digest && isBuiltOn(image.image, onto.image)) {
    return { image, from: onto, onto };
  }
  const from =
    request.from === undefined
      ? await readOldBase(image.image, platform, work)
      : await readSource(request.from, platform, work);
  return { image, from, onto };
}

async function check(
  { force }: RebaseRequest,
  { image, from, onto }: Sources,
  work: RunWorkspace,
): Promise<void> {
  const done = work.reporter.step("Comparing the bases");
  const files = new Map([...from.files, ...onto.files, ...image.files]);
  const images = { image: image.image, from: from.image, onto: onto.image };
  await checkConflicts({ ...images, files, force }, work);
  done();
}

export interface Rebased extends Sources {
  readonly rebased: Image;
  readonly isUpToDate: boolean;
}

/** Into the store without a name; its layers stay where they are known to be. */
export async function takeIn(
  { image, onto, rebased }: Pick<Rebased, "image" | "onto" | "rebased">,
  { store, run }: RunWorkspace,
): Promise<void> {
  const known = await readLocations(store, rebased.digest);
  const wanted = new Set(rebased.manifest.layers.map((layer) => layer.digest));
  const files = new Map([...image.files, ...onto.files].filter(([digest]) => wanted.has(digest)));
  await commitImage(run, {
    image: rebased,
    files,
    locations: narrowLocations([...image.locations, ...onto.locations, ...known], rebased),
    names: [],
  });
}

/** Those that do not stand for the image or index yet. */
export async function listNewNames(
  { names }: Pick<RebaseRequest, "names">,
  { digest }: Pick<Image, "digest">,
  store: Store,
): Promise<readonly string[]> {
  const present = await Promise.all(names.map((name) => findNamed(store, name)));
  return names.filter((_, index) => present[index] !== digest);
}

function describeBase({ name, image }: Source): NamedBase {
  return { name, digest: image.digest, layers: image.manifest.layers.length };
}
