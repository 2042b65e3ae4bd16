import { type ImageReference, isPushed, referToDigest } from "../copy/copy.ts";
import { type ImageIndex, ociIndexType } from "../oci/oci.ts";
import { withTransfers } from "../registry/registry.ts";
import { notePushed, pushImage } from "./push.ts";
import { isWhole, type Push } from "./push-layers.ts";
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
  work: RunWorkspace,
): Promise<void> {
  const { repository } = destination;
  if (repository === undefined) return;
  const { registries, signal, reporter } = work;
  const done = reporter.step(`Pushing the index to ${destination.name}`);
  const isTagged = await withTransfers(registries, signal, (transfers) =>
    isPushed(destination, index.digest, transfers),
  );
  if (isTagged && (await isAllThere(index, { destination, repository, isChecked }, work))) {
    for (const image of index.images) await notePushed(image, repository, work);
    done("it is there already");
    return;
  }
  for (const image of index.images) {
    const one = referToDigest(repository, image.digest);
    await pushImage(image, { destination: one, isChecked }, work);
  }
  const manifest = { mediaType: ociIndexType, bytes: index.bytes };
  await withTransfers(registries, signal, (transfers) =>
    transfers.pushManifest(repository, destination.reference, manifest),
  );
  done();
}

/** All is asked for at once: one image after the other would be slow where nothing changed. */
async function isAllThere(
  index: ImageIndex,
  place: Omit<Push, "image">,
  work: RunWorkspace,
): Promise<boolean> {
  const answers = index.images.map((image) => isWhole({ ...place, image }, work));
  return !(await Promise.all(answers)).includes(false);
}
