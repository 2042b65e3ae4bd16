import { type ImageReference, isPushed } from "../copy/copy.ts";
import { XbuildError } from "../errors.ts";
import type { Descriptor, Image } from "../oci/oci.ts";
import type { Step } from "../reporter.ts";
import { readLocations } from "../store/store.ts";
import { renderSize, sumSizes } from "../units.ts";
import { withAnswers } from "./answers.ts";
import {
  findWhole,
  listLayers,
  listOwnBlobs,
  type Push,
  type PushWorkspace,
} from "./push-layers.ts";
import { forgetSeen, notePushed } from "./seen-layers.ts";
import { type Placed, placeBlobs } from "./send-layers.ts";
import { createLayersGone } from "./useless-layers.ts";
import type { RunWorkspace } from "./workspace.ts";

/** Where an image is pushed to. */
export interface PushRequest {
  readonly destination: ImageReference;
  /** Whether what is not here was found in its registry a moment ago. */
  readonly isChecked?: boolean;
}

/**
 * Pushes an image of the store to a tag of a registry, its digest unchanged. What the registry has already
 * is not sent: layers of the same repository are found there, those of its other repositories are mounted
 * from them. Only where it declines that, or another registry has them, layers that are not here are fetched.
 * The tag comes last: until then it is what it was. Errors: `layer-gone`, `registry-*`.
 */
export async function pushImage(
  image: Image,
  { destination, isChecked = false }: PushRequest,
  given: RunWorkspace,
): Promise<void> {
  const { repository } = destination;
  if (repository === undefined) return;
  const push: Push = { image, destination, repository, isChecked };
  const done = given.reporter.step(`Pushing to ${destination.name}`);
  const { words, checked } = await withAnswers(given, async (work) => {
    const whole = (await isTagged(push, work)) ? await findWhole(push, work) : undefined;
    if (whole !== undefined) return { ...whole, words: "it is there already" };
    return transfer(push, { ...work, progress: done.progress });
  });
  await notePushed({ image, repository, checked }, given);
  done(words);
}

/** A tag that was read before in this command is not read again, where that tells what it stands for. */
async function isTagged(
  { image, destination, repository }: Push,
  { answers }: PushWorkspace,
): Promise<boolean> {
  const { session } = answers;
  if (!(await session.isOnePlace(repository))) session.forgetManifests(repository);
  const look = (): Promise<boolean> => isPushed(destination, image.digest, session.openTransfers());
  const isThere = await look();
  if (!isThere || !answers.isSettled()) return isThere;
  // Steps have run since it was read: somebody may have moved the tag, or removed it.
  session.forgetManifests(repository);
  return look();
}

type TransferWorkspace = PushWorkspace & Pick<Step, "progress">;

interface Transferred {
  /** What was moved. */
  readonly words: string;
  /** When the layers were seen. */
  readonly checked: number | undefined;
}

/**
 * A registry that refuses the manifest may lack a layer of which it said otherwise, or that counted as there: it is asked
 * for all of them then, and gets what it lacks.
 */
async function transfer(push: Push, work: TransferWorkspace): Promise<Transferred> {
  const { image, repository } = push;
  const placed = await placeBlobs(push, work);
  const refusal = await offerManifest(push, work);
  if (refusal === undefined) return describe(image, placed);
  const lacking = await listLacking(push, work);
  if (lacking.length === 0) throw refusal;
  await forgetSeen(image, repository, work);
  const again = await placeBlobs({ ...push, isChecked: false, isRefused: true }, work);
  const last = await offerManifest(push, work);
  if (last === undefined) {
    return describe(image, { ...again, sent: [...new Set([...placed.sent, ...again.sent])] });
  }
  const gone = await listLacking(push, work);
  throw gone.length === 0
    ? last
    : createLayersGone(gone, await readLocations(work.store, image.digest));
}

/** It gives the image its tag. What was said before of the repository is not so any more. @returns why it is refused */
async function offerManifest(
  { image, repository, destination: { reference } }: Push,
  { answers }: TransferWorkspace,
): Promise<XbuildError | undefined> {
  const manifest = { mediaType: image.manifest.mediaType, bytes: image.manifestBytes };
  try {
    await answers.session.openTransfers().pushManifest(repository, reference, manifest);
    return undefined;
  } catch (error) {
    if (error instanceof XbuildError) return error;
    throw error;
  } finally {
    answers.forget(repository);
  }
}

/** A registry refuses a manifest of which it lacks a blob. */
async function listLacking(
  { image, repository }: Push,
  { answers }: TransferWorkspace,
): Promise<readonly Descriptor[]> {
  const blobs = listOwnBlobs(image);
  const found = await Promise.all(
    blobs.map(({ digest }) => answers.hasBlob({ repository, digest, use: "push" })),
  );
  return blobs.filter((_, index) => found[index] === false);
}

function describe(image: Image, { sent, seenAt }: Placed): Transferred {
  const { length } = listLayers(image);
  const there = length - sent.length;
  const moved = `${sent.length} of ${length} layers (${renderSize(sumSizes(sent))})`;
  return { words: there === 0 ? moved : `${moved}, ${there} there already`, checked: seenAt };
}
