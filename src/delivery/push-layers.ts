import type { RegistryReference } from "../copy/copy.ts";
import { XbuildError } from "../errors.ts";
import { type Descriptor, type Image, isExternal } from "../oci/oci.ts";
import { readLocations } from "../store/store.ts";
import type { RegistryAnswers } from "./answers.ts";
import { adoptLayers, fetchFrom, pickClaims } from "./fetch.ts";
import { indexHolders } from "./holders.ts";
import { findCheck } from "./seen-layers.ts";
import { createLayersGone } from "./useless-layers.ts";
import type { RunWorkspace } from "./workspace.ts";

/** An image on its way to a registry. */
export interface Push {
  readonly image: Image;
  readonly destination: RegistryReference;
  /** `host[:port]/repository` of the destination. */
  readonly repository: string;
  /** Whether what is not here was found in its registry a moment ago. */
  readonly isChecked: boolean;
  /** Whether the repository has refused it before: then all of its layers were asked for. */
  readonly isRefused?: boolean;
}

export type PushWorkspace = RunWorkspace & { readonly answers: RegistryAnswers };

/** How it was found that a repository has all layers of an image. */
export interface Whole {
  /** When each was seen; undefined where nobody asked now. */
  readonly checked: number | undefined;
}

/**
 * A tag may stand for an image of which the registry has lost a layer: then it is pushed once more. Where the layers were
 * seen there a short time ago, the manifest is offered again under its digest, one question for all of them: registries
 * refuse one whose blobs they lack. Else, where it is refused for whatever reason, and for the images of an index, of
 * which what did not change is not sent, each is asked for.
 * @returns undefined where a layer is missing
 */
export async function findWhole(push: Push, work: PushWorkspace): Promise<Whole | undefined> {
  const { image, repository } = push;
  const checked = await findCheck(image, repository, work);
  const isOffered = checked !== undefined && isTag(push.destination);
  if (isOffered && (await isConfirmed(push, work))) return { checked };
  const now = Date.now();
  const answers = await Promise.all(
    listOwnBlobs(image).map(({ digest }) =>
      work.answers.hasBlob({ repository, digest, use: "push" }),
    ),
  );
  if (answers.includes(false)) return undefined;
  return { checked: answers.includes(undefined) ? undefined : now };
}

function isTag({ digest }: RegistryReference): boolean {
  return digest === undefined;
}

async function isConfirmed(
  { image, repository }: Push,
  { answers: { session }, signal }: PushWorkspace,
): Promise<boolean> {
  const manifest = { mediaType: image.manifest.mediaType, bytes: image.manifestBytes };
  try {
    await session.openImpatient().pushManifest(repository, image.digest, manifest);
    return true;
  } catch (error) {
    if (!(error instanceof XbuildError) || signal.aborted) throw error;
    return false;
  }
}

/** An image may have a layer several times. */
export function listLayers(image: Image): readonly Descriptor[] {
  return [...new Map(image.manifest.layers.map((one) => [one.digest, one])).values()];
}

/** Those that a registry must have. */
function listOwnLayers(image: Image): readonly Descriptor[] {
  return listLayers(image).filter((layer) => !isExternal(layer));
}

/** The same, and its config. */
export function listOwnBlobs(image: Image): readonly Descriptor[] {
  return [...listOwnLayers(image), image.manifest.config];
}

/** Fetches layers from other repositories than the one that lacks them. Errors: `layer-gone`. */
export async function bringLayers(
  { image, repository }: Push,
  layers: readonly Descriptor[],
  work: RunWorkspace,
): Promise<void> {
  const locations = await readLocations(work.store, image.digest);
  const others = locations.filter((one) => one.repository !== repository);
  const findHolders = indexHolders(others);
  const unavailable = layers.filter((layer) => findHolders(layer.digest).length === 0);
  if (unavailable.length > 0) throw createLayersGone(unavailable, locations);
  const { files } = await fetchFrom({ locations: others, claims: pickClaims(image, layers) }, work);
  await adoptLayers(image, files, work);
}
