import {
  assertPresent,
  deliverImage,
  fetchFrom,
  listClaims,
  listNames,
  pickClaims,
  verifyLayers,
} from "../delivery/delivery.ts";
import type { PreviousImage } from "../layers/layers.ts";
import {
  type Digest,
  type Image,
  keyAnnotation,
  type LayerFiles,
  narrowLocations,
} from "../oci/oci.ts";
import { commitImage, listMissingLayers } from "../store/store.ts";
import { listBuildKeys } from "./last-build.ts";
import { describeRecords } from "./records.ts";
import { needsBytes, type BuildResult } from "./request.ts";
import { announceResult, describeResult } from "./result.ts";
import { noteUseless } from "./without-useless.ts";
import type { Build, BuildRunWorkspace } from "./workspace.ts";

/** Previous images from elsewhere, and layers that are known to be of no use. */
export interface Adoption {
  readonly remotes: readonly PreviousImage[];
  readonly useless: Set<Digest>;
}

/**
 * Takes a previous image that was made of the same inputs for the result, and hands it on.
 * @returns undefined where there is none, or a layer of it proves to be nowhere: then that is known
 */
export async function adoptPrevious(
  build: Build,
  { remotes, useless }: Adoption,
  work: BuildRunWorkspace,
): Promise<BuildResult | undefined> {
  const { request } = build;
  const adoptable = findAdoptable(build, remotes);
  if (adoptable === undefined || lacks(adoptable.image, useless)) return undefined;
  const { image } = adoptable;
  try {
    const files = await bringBytes(build, adoptable, work);
    const outcome = { request, upToDate: true, coming: new Set(files.keys()) };
    await announceResult(image, outcome, work);
    await commitAdopted(build, { image, files, remotes }, work);
    await deliverImage(image, { request: request.delivery, isChecked: true }, work);
    return await describeResult(image, { request, upToDate: true }, work);
  } catch (error) {
    noteUseless(error, { request, useless }, work);
    return undefined;
  }
}

/**
 * The previous image that says of itself that it was made of the same inputs: what stands at the
 * destination already before any other. None of those whose word is not taken.
 */
function findAdoptable(
  { request: { steps, reuse }, inputs }: Build,
  remotes: readonly PreviousImage[],
): PreviousImage | undefined {
  if (steps.noCache || inputs.key === undefined || !inputs.isPublic) return undefined;
  if (reuse.trust === "none") return undefined;
  const ofSameInputs = remotes.filter(
    ({ image, trusted }) => trusted && image.manifest.annotations?.[keyAnnotation] === inputs.key,
  );
  return ofSameInputs.find((one) => one.isDestination) ?? ofSameInputs[0];
}

function lacks({ manifest }: Image, useless: ReadonlySet<Digest>): boolean {
  return manifest.layers.some((layer) => useless.has(layer.digest));
}

/** What is needed of such an image's bytes, checked; what stays elsewhere is asked for. */
async function bringBytes(
  { request }: Build,
  { image, files, locations }: PreviousImage,
  work: BuildRunWorkspace,
): Promise<LayerFiles> {
  await verifyLayers({ claims: listClaims(image) }, files, work);
  const missing = await listMissingLayers(work.store, image);
  const elsewhere = missing.filter((layer) => !files.has(layer.digest));
  if (needsBytes(request)) {
    const fetched = await fetchFrom({ locations, claims: pickClaims(image, elsewhere) }, work);
    return new Map([...files, ...fetched.files]);
  }
  await assertPresent(elsewhere, locations, work);
  return files;
}

interface Adopted {
  readonly image: Image;
  readonly files: LayerFiles;
  readonly remotes: readonly PreviousImage[];
}

/** Takes such an image into the store as if it had been built here; its layers stay where they are. */
async function commitAdopted(
  build: Build,
  { image, files, remotes }: Adopted,
  { run }: BuildRunWorkspace,
): Promise<void> {
  const names = listNames(build.request.delivery);
  await commitImage(run, {
    image,
    files,
    names,
    locations: narrowLocations(
      remotes.flatMap((one) => one.locations),
      image,
    ),
    records: describeRecords(build, image),
    refs: listBuildKeys(build),
  });
}
