import { isPushed } from "../copy/copy.ts";
import { lookAhead, pushImage, type RunWorkspace, withAnswers } from "../delivery/delivery.ts";
import { exitStatuses, XbuildError } from "../errors.ts";
import { platformOf } from "../oci/oci.ts";
import { inBriefStep } from "../reporter.ts";
import { tagImage, withRun } from "../store/store.ts";
import {
  describeRebased,
  listNewNames,
  readBases,
  type Rebased,
  rebaseOne,
  type RebaseRunWorkspace,
  takeIn,
} from "./rebase-one.ts";
import type {
  RebasedIndex,
  RebaseRequest,
  RebaseResult,
  RebaseWorkspace,
} from "./rebase-request.ts";
import { readSource, readSourceIndex, type Source } from "./rebase-sources.ts";

/**
 * Puts an image's own layers onto another base without building: in the store, from registry to registry, or
 * from one to the other. Layers stay where they are; a push mounts or brings what its registry lacks. What
 * fails leaves every name as it is.
 * Errors: `rebase-*`, `layers-too-many`, `image-not-found`, `image-unsupported`, `registry-*`, `layer-gone`.
 */
export async function rebase(
  request: RebaseRequest,
  surroundings: RebaseWorkspace,
): Promise<RebaseResult | RebasedIndex> {
  const act = async (work: RebaseRunWorkspace): Promise<RebaseResult | RebasedIndex> => {
    const images = request.everyPlatform ? await readSourceIndex(request.image, work) : undefined;
    if (images !== undefined) {
      const { rebaseIndex } = await import("./rebase-index.ts");
      return rebaseIndex(images, request, work);
    }
    const done = work.reporter.step("Reading the images");
    const image = await readSource(request.image, request.platform, work);
    await assertReplaceable(request, image, work);
    lookAhead([image], request.pushes, work);
    const onto = await readSource(request.onto, platformOf(image.image), work);
    const sources = await readBases(request, { image, onto }, work);
    done();
    const rebased = await rebaseOne(request, sources, work);
    const store = (): Promise<void> => deliver(request, rebased, work);
    await inBriefStep("Storing the image", store, work);
    return describeRebased(rebased);
  };
  return withRun(surroundings.store, (run) => withAnswers({ ...surroundings, run }, act));
}

/** A tag that stands for images of several platforms would lose the others. Errors: `usage`. */
async function assertReplaceable(
  { image, pushes }: RebaseRequest,
  source: Source,
  work: RunWorkspace,
): Promise<void> {
  const { reference } = image;
  if (image.stored !== undefined || reference?.repository === undefined) return;
  if (!pushes.some((one) => one.text === reference.text)) return;
  const { digest } = source.image;
  const isOne = await withAnswers(work, ({ answers: { session } }) =>
    isPushed(reference, digest, session.openTransfers()),
  );
  if (isOne) return;
  const message = `${image.text} names an index of several platforms, which the rebased image of one platform would replace`;
  const hint = "name the result with -t";
  throw new XbuildError("usage", message, { hint, exitStatus: exitStatuses.usage });
}

/** Into the store, so that it can be pushed from there, and named last. */
async function deliver(
  request: RebaseRequest,
  { image, onto, rebased, isUpToDate }: Rebased,
  work: RunWorkspace,
): Promise<void> {
  const { store } = work;
  // What an up-to-date image was read from has it.
  const own = isUpToDate ? request.image.reference?.text : undefined;
  const pushes = request.pushes.filter((one) => one.text !== own);
  const names = await listNewNames(request, rebased, store);
  if (names.length + pushes.length === 0) return;
  await takeIn({ image, onto, rebased }, work);
  for (const destination of pushes) await pushImage(rebased, { destination }, work);
  if (names.length > 0) await tagImage(store, rebased, names);
}
