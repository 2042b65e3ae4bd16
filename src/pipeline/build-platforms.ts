import { addToList, deliverIndex, type DeliveryRequest, listNames } from "../delivery/delivery.ts";
import { assembleIndex, type Digest, ociIndexType } from "../oci/oci.ts";
import {
  commitIndex,
  findNamed,
  listMissingLayers,
  readImage,
  type Run,
  withRun,
} from "../store/store.ts";
import { inBriefStep } from "../reporter.ts";
import { buildImage } from "./build.ts";
import { buildSideBySide, type MadeImages, notKept, type PlatformBuild } from "./side-by-side.ts";
import { cleanUpDeadRuns } from "./dead-runs.ts";
import type { BuildResult, Continued } from "./request.ts";
import type { CallerWorkspace } from "./workspace.ts";
import { noteUseless } from "./without-useless.ts";

/** What a build for several platforms tells of its index. */
export interface IndexResult {
  readonly names: readonly string[];
  /** Of the index. */
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of the index. */
  readonly size: number;
  /** Whether nothing was built: each platform's image is what it was, and the index, too. */
  readonly upToDate: boolean;
  /** In the order in which the platforms were given. */
  readonly platforms: readonly BuildResult[];
}

/** Where an index goes, and how it is made. */
export interface IndexRequest {
  readonly delivery: DeliveryRequest;
  /** How many platforms are built at a time; 0: as many as there are. */
  readonly jobs: number;
  /** Called when the index is known and no name stands for it yet: what fails there leaves all as it was. */
  readonly beforeNaming?: ((result: IndexResult) => Promise<void>) | undefined;
}

/**
 * Builds a target for several platforms, each as `buildImage` does, with a previous image and a key of its own: then
 * the index of their images, its names, and where it goes. Where one fails the others are stopped, and all names and
 * destinations are as they were. @throws XbuildError
 * @param builds one for each platform, whose requests give the image no name and send it nowhere
 */
export async function buildPlatforms(
  builds: readonly PlatformBuild[],
  request: IndexRequest,
  work: CallerWorkspace,
): Promise<IndexResult | Continued> {
  const elsewhere = await cleanUpDeadRuns(work);
  if (elsewhere !== undefined) return elsewhere;
  const [first] = builds;
  if (first === undefined) throw new RangeError("a build is for one platform at least");
  return withRun(work.store, async (run) => {
    const useless = new Set<Digest>();
    for (let again = builds; ; again = builds.map((one) => withoutCache(one))) {
      const made = await buildSideBySide(again, request.jobs, { ...work, run });
      if ("continuedElsewhere" in made) return made;
      try {
        return await finishIndex(made, request, { ...work, run });
      } catch (error) {
        // As a build of one platform: it ends, for each time a layer must be new on the list.
        noteUseless(error, { request: first.request, useless }, work);
      }
    }
  });
}

/** An image that was up to date has a layer that is nowhere any more: it is made anew. */
function withoutCache({ plan, request }: PlatformBuild): PlatformBuild {
  return { plan, request: { ...request, steps: { ...request.steps, noCache: true } } };
}

type RunWork = CallerWorkspace & { readonly run: Run };

async function finishIndex(
  { images, results }: MadeImages,
  { delivery, beforeNaming }: IndexRequest,
  work: RunWork,
): Promise<IndexResult> {
  const { run, store } = work;
  const index = assembleIndex(images);
  const names = listNames(delivery);
  const before = await Promise.all(names.map((name) => findNamed(store, name)));
  const isNamed = before.every((digest) => digest === index.digest);
  const describe = async (): Promise<IndexResult> => ({
    names,
    digest: index.digest,
    mediaType: ociIndexType,
    size: index.bytes.byteLength,
    upToDate: results.every((one) => one.upToDate) && isNamed,
    platforms: await describeAll({ images, results }, work),
  });
  await beforeNaming?.(await describe());
  await inBriefStep("Storing the index", () => commitIndex(run, { index, names }), work);
  await deliverIndex(index, { request: delivery }, work);
  await addToList(images, delivery, work);
  return describe();
}

/** What is here by now: where the index goes, layers may have come. */
async function describeAll(
  { images, results }: MadeImages,
  { store }: RunWork,
): Promise<readonly BuildResult[]> {
  return Promise.all(
    results.map(async (result, at) => {
      const image = images[at];
      const missing = image === undefined ? [] : await listMissingLayers(store, image);
      const absent = new Set<Digest>(missing.map(({ digest }) => digest));
      const layers = result.layers.map((one) => ({ ...one, verified: !absent.has(one.digest) }));
      return { ...result, layers };
    }),
  );
}

/**
 * Builds one image, and adds it to the list that --manifest names: the images of other platforms in it stay.
 * @throws XbuildError
 */
export async function buildIntoList(
  { plan, request }: PlatformBuild,
  work: CallerWorkspace,
): Promise<BuildResult | Continued> {
  return withRun(work.store, async (run) => {
    const beforeNaming = async (result: BuildResult): Promise<void> => {
      await run.reserve(result);
      await work.beforeNaming?.(result);
    };
    const result = await buildImage(plan, request, { ...work, beforeNaming });
    if ("continuedElsewhere" in result) return result;
    const image = await readImage(work.store, result.digest);
    if (image === undefined) throw notKept(result);
    await addToList([image], request.delivery, { ...work, run });
    return result;
  });
}
