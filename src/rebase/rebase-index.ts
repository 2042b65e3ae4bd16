import { pushIndex, type RunWorkspace } from "../delivery/delivery.ts";
import { XbuildError } from "../errors.ts";
import {
  assembleIndex,
  type ImageIndex,
  platformOf,
  renderPlatform,
  type WantedPlatform,
} from "../oci/oci.ts";
import { inBriefStep } from "../reporter.ts";
import { commitIndex } from "../store/store.ts";
import { listSome } from "../text.ts";
import type { RebasedIndex, RebaseRequest, SourceName } from "./rebase-request.ts";
import { readSource, type Source, type SourceIndex } from "./rebase-sources.ts";
import {
  describeRebased,
  listNewNames,
  readBases,
  type Rebased,
  rebaseOne,
  type RebaseRunWorkspace,
  type Sources,
  takeIn,
} from "./rebase-one.ts";

/**
 * Puts each image of an index onto the new base's image of its platform: an index again, in the same order. What fails
 * leaves every name as it is.
 * Errors: as `rebase`; `image-unsupported`, which names all platforms that the new base lacks.
 */
export async function rebaseIndex(
  source: SourceIndex,
  request: RebaseRequest,
  work: RebaseRunWorkspace,
): Promise<RebasedIndex> {
  const done = work.reporter.step("Reading the images");
  const sources = await readAllBases(source.images, request, work);
  done();
  const rebased: Rebased[] = [];
  for (const one of sources) rebased.push(await rebaseOne(request, one, work));
  const images = rebased.map((one) => one.rebased);
  const index = assembleIndex(images, source.annotations);
  const isUpToDate = rebased.every((one) => one.isUpToDate);
  // What an index says beside its images is lost with the first of them that is another one.
  const before = isUpToDate ? source : index;
  const store = (): Promise<void> =>
    deliverIndex({ index, before, rebased, isUpToDate }, request, work);
  await inBriefStep("Storing the index", store, work);
  return { index, isUpToDate, platforms: rebased.map(describeRebased) };
}

/** All platforms that the new base lacks are told at once. */
async function readAllBases(
  images: readonly Source[],
  request: RebaseRequest,
  work: RunWorkspace,
): Promise<readonly Sources[]> {
  const pairs: Omit<Sources, "from">[] = [];
  const lacking: string[] = [];
  for (const image of images) {
    const platform = platformOf(image.image);
    const onto = await readOffered(request.onto, platform, work);
    if (onto === undefined) lacking.push(renderPlatform(platform));
    else pairs.push({ image, onto });
  }
  if (lacking.length > 0) {
    const message = `${request.onto.text} has no image for ${listSome(lacking)}, of which ${request.image.text} has one`;
    const hint = "name a base that has them all, or one --platform and a name for the result (-t)";
    throw new XbuildError("image-unsupported", message, { hint });
  }
  const found: Sources[] = [];
  for (const pair of pairs) found.push(await readBases(request, pair, work));
  return found;
}

/** The base's image for a platform; undefined where it has none. */
async function readOffered(
  base: SourceName,
  platform: WantedPlatform,
  work: RunWorkspace,
): Promise<Source | undefined> {
  try {
    const onto = await readSource(base, platform, work);
    const { os, architecture } = onto.image.config;
    // Of one image only the machine counts, as `rebaseImage` has it.
    return os === platform.os && architecture === platform.architecture ? onto : undefined;
  } catch (error) {
    if (error instanceof XbuildError && error.code === "image-unsupported") return undefined;
    throw error;
  }
}

interface Delivered {
  readonly index: ImageIndex;
  /** What names that need not move stand for. */
  readonly before: Pick<ImageIndex, "digest">;
  readonly rebased: readonly Rebased[];
  readonly isUpToDate: boolean;
}

/** Into the store, so that it can be pushed from there, and named last. */
async function deliverIndex(
  { index, before, rebased, isUpToDate }: Delivered,
  request: RebaseRequest,
  work: RunWorkspace,
): Promise<void> {
  // What an up-to-date index was read from has it.
  const own = isUpToDate ? request.image.reference?.text : undefined;
  const pushes = request.pushes.filter((one) => one.text !== own);
  const names = await listNewNames(request, before, work.store);
  if (names.length + pushes.length === 0) return;
  for (const one of rebased) await takeIn(one, work);
  for (const destination of pushes) await pushIndex(index, { destination }, work);
  await commitIndex(work.run, { index, names });
}
