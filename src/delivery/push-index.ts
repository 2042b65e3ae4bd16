import { type ImageReference, isPushed, referToDigest } from "../copy/copy.ts";
import { type Image, type ImageIndex, ociIndexType } from "../oci/oci.ts";
import { withAnswers } from "./answers.ts";
import { pushImage } from "./push.ts";
import { findWhole, type Push, type PushWorkspace, type Whole } from "./push-layers.ts";
import { notePushed } from "./seen-layers.ts";
import type { RunWorkspace } from "./workspace.ts";

/** Where an index is pushed to. */
export interface IndexPush {
  readonly destination: ImageReference;
  /** Whether what is not here was found in its registry a moment ago. */
  readonly isChecked?: boolean;
}

/**
 * Pushes an index to a tag of a registry: each of its images by its digest, as `pushImage` does it, then the index, which
 * gets the tag. Until then the tag is what it was; what is there already is not sent. Errors: as `pushImage`.
 * distribution-spec v1.1, "Pushing manifests"
 */
export async function pushIndex(
  index: ImageIndex,
  { destination, isChecked = false }: IndexPush,
  given: RunWorkspace,
): Promise<void> {
  const { repository } = destination;
  if (repository === undefined) return;
  const done = given.reporter.step(`Pushing the index to ${destination.name}`);
  await withAnswers(given, async (work) => {
    const transfers = work.answers.session.openTransfers();
    const isTagged = await isPushed(destination, index.digest, transfers);
    const place = { repository, isChecked };
    const wholes = isTagged ? await findWholes(index, place, work) : undefined;
    if (wholes !== undefined) {
      for (const [image, { checked }] of wholes) {
        await notePushed({ image, repository, checked }, work);
      }
      done("it is there already");
      return;
    }
    for (const image of index.images) {
      const one = referToDigest(repository, image.digest);
      await pushImage(image, { destination: one, isChecked }, work);
    }
    const manifest = { mediaType: ociIndexType, bytes: index.bytes };
    await transfers.pushManifest(repository, destination.reference, manifest);
    done();
  });
}

/** All is asked for at once: one image after the other would be slow where nothing changed. */
async function findWholes(
  index: ImageIndex,
  place: Pick<Push, "repository" | "isChecked">,
  work: PushWorkspace,
): Promise<readonly (readonly [Image, Whole])[] | undefined> {
  const found = index.images.map(async (image) => {
    const destination = referToDigest(place.repository, image.digest);
    const whole = await findWhole({ ...place, destination, image }, work);
    return whole === undefined ? [] : [[image, whole] as const];
  });
  const wholes = (await Promise.all(found)).flat();
  return wholes.length < index.images.length ? undefined : wholes;
}
