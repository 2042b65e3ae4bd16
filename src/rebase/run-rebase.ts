import { isPushed } from "../copy/copy.ts";
import { pushImage, type RunWorkspace } from "../delivery/delivery.ts";
import { exitStatuses, XbuildError } from "../errors.ts";
import {
  baseDigestAnnotation,
  type Image,
  isBuiltOn,
  narrowLocations,
  rebaseImage,
} from "../oci/oci.ts";
import {
  commitImage,
  findImage,
  readLocations,
  type Store,
  tagImage,
  withRun,
} from "../store/store.ts";
import { checkConflicts } from "./rebase-check.ts";
import type { NamedBase, RebaseRequest, RebaseResult, RebaseWorkspace } from "./rebase-request.ts";
import { readOldBase, readSource, type Source } from "./rebase-sources.ts";

/**
 * Puts an image's own layers onto another base without building: in the store, from registry to registry, or
 * from one to the other. Layers stay where they are; a push mounts or brings what its registry lacks. What
 * fails leaves every name as it is.
 * Errors: `rebase-*`, `layers-too-many`, `image-not-found`, `image-unsupported`, `registry-*`, `layer-gone`.
 */
export async function rebase(
  request: RebaseRequest,
  surroundings: RebaseWorkspace,
): Promise<RebaseResult> {
  return withRun(surroundings.store, async (run) => {
    const work = { ...surroundings, run };
    const done = work.reporter.step("Reading the images");
    const sources = await readSources(request, work);
    done();
    const { image, from, onto } = sources;
    const images = { image: image.image, from: from.image, onto: onto.image };
    const rebased = rebaseImage({ ...images, name: onto.registryName, created: work.now });
    const isUpToDate = rebased.digest === image.image.digest;
    if (!isUpToDate) {
      assertCount(rebased, request);
      await check(request, sources, work);
    }
    await deliver(request, { ...sources, rebased, isUpToDate }, work);
    return { image: rebased, isUpToDate, from: describeBase(from), onto: describeBase(onto) };
  });
}

/** An engine could not run it. Errors: `layers-too-many`. */
function assertCount({ manifest: { layers } }: Image, { maxLayers }: RebaseRequest): void {
  if (layers.length <= maxLayers) return;
  const message = `the image would have ${layers.length} layers on the new base, but ${maxLayers} is the limit`;
  const hint = "build it again with fewer layers, name a base with fewer, or raise --max-layers";
  throw new XbuildError("layers-too-many", message, { hint });
}

interface Sources {
  readonly image: Source;
  readonly from: Source;
  readonly onto: Source;
}

async function readSources(request: RebaseRequest, work: RunWorkspace): Promise<Sources> {
  const image = await readSource(request.image, request.platform, work);
  await assertReplaceable(request, image, work);
  const { os, architecture, variant } = image.image.config;
  const platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  const onto = await readSource(request.onto, platform, work);
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

/** A tag that stands for images of several platforms would lose the others. Errors: `usage`. */
async function assertReplaceable(
  { image, pushes }: RebaseRequest,
  source: Source,
  { registries: access, signal }: RunWorkspace,
): Promise<void> {
  const { reference } = image;
  if (image.stored !== undefined || reference?.repository === undefined) return;
  if (!pushes.some((one) => one.text === reference.text)) return;
  const { digest } = source.image;
  const { withTransfers } = await import("../registry/registry.ts");
  if (await withTransfers(access, signal, (one) => isPushed(reference, digest, one))) return;
  const message = `${image.text} names an index of several platforms, which the rebased image of one platform would replace`;
  const hint = "name the result with -t";
  throw new XbuildError("usage", message, { hint, exitStatus: exitStatuses.usage });
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

interface Rebased extends Sources {
  readonly rebased: Image;
  readonly isUpToDate: boolean;
}

/** Into the store, so that it can be pushed from there, and named last. */
async function deliver(
  request: RebaseRequest,
  { image, onto, rebased, isUpToDate }: Rebased,
  work: RunWorkspace,
): Promise<void> {
  const { store, run } = work;
  // What an up-to-date image was read from has it.
  const own = isUpToDate ? request.image.reference?.text : undefined;
  const pushes = request.pushes.filter((one) => one.text !== own);
  const names = await listNewNames(request, rebased, store);
  if (names.length + pushes.length === 0) return;
  const known = await readLocations(store, rebased.digest);
  const wanted = new Set(rebased.manifest.layers.map((layer) => layer.digest));
  const files = new Map([...image.files, ...onto.files].filter(([digest]) => wanted.has(digest)));
  await commitImage(run, {
    image: rebased,
    files,
    locations: narrowLocations([...image.locations, ...onto.locations, ...known], rebased),
    names: [],
  });
  for (const destination of pushes) await pushImage(rebased, { destination }, work);
  if (names.length > 0) await tagImage(store, rebased, names);
}

/** Those that do not stand for the image yet. */
async function listNewNames(
  { names, platform }: RebaseRequest,
  image: Image,
  store: Store,
): Promise<readonly string[]> {
  const present = await Promise.all(names.map((name) => findImage(store, name, platform)));
  return names.filter((_, index) => present[index]?.digest !== image.digest);
}

function describeBase({ name, image }: Source): NamedBase {
  return { name, digest: image.digest, layers: image.manifest.layers.length };
}
