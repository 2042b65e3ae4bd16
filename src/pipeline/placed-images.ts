import { createLocalReference, readLocalId, readLocalImage, splitReference } from "../copy/copy.ts";
import { XbuildError } from "../errors.ts";
import { type Digest, isLocalName } from "../oci/oci.ts";
import type { BuildPlan } from "../plan/plan.ts";
import { findImage, listMissingLayers, readLocations } from "../store/store.ts";
import type { BaseImage } from "./bases.ts";
import type { WantedBase } from "./find-base.ts";
import { findUsed, type ImageUse, nameImage, type ResolvedImage } from "./resolve-images.ts";
import type { BuildRequest } from "./request.ts";
import type { BuildRunWorkspace, BuildWorkspace } from "./workspace.ts";

/**
 * An image whose layers only stand below those of the build (`OUTPUT --from`), so that the engine need not have it:
 * one that a transport names, or a local name (`localhost/...`) that the store has and the engine has not.
 * @returns undefined where the engine has to be asked for it. Errors: `image-not-found`, and those of `readLocalId`
 */
export async function findPlaced(
  use: ImageUse,
  work: BuildWorkspace,
): Promise<ResolvedImage | undefined> {
  const { name } = use.reference;
  const { platform } = use.request.reuse;
  if (isPlace(name)) {
    const id = await readLocalId(createLocalReference(name), { ...work, platform });
    if (id === undefined) throw notThere(name);
    return { id, isHere: true, isPlaced: true };
  }
  const { pull } = use.request.steps;
  const used = await findUsed(use, work);
  if (used !== undefined)
    return pull === "always" || pull === "newer" ? undefined : { id: used, isHere: true };
  const image = await findImage(work.store, name, platform);
  return image && { id: image.manifest.config.digest, isHere: true, isPlaced: true };
}

/** Whether a name may be that of such an image. */
export function mayBePlaced({ reference: { name }, plan, request }: ImageUse): boolean {
  return (isPlace(name) || isLocalName(name)) && isOnlyBelow(name, plan, request);
}

function isPlace(name: string): boolean {
  return splitReference(name) === undefined;
}

/** Whether no step uses it. */
function isOnlyBelow(name: string, { dependencies }: BuildPlan, request: BuildRequest): boolean {
  const used = dependencies.stages.flatMap(({ base, uses }) => [
    base,
    ...uses.map(({ reference }) => reference),
  ]);
  return !used.some((one) => one.kind !== "built" && nameImage(one, request) === name);
}

function notThere(name: string): XbuildError {
  return new XbuildError("image-not-found", `${name}: there is no such image`, {
    hint: "check the path and the name; a relative path begins at the working directory",
  });
}

/** Where it is such a place: the image, its layers as they are there. Errors: those of `readLocalImage` */
export async function takePlaced(
  name: string,
  { scratch, platform }: WantedBase,
  { signal }: BuildRunWorkspace,
): Promise<BaseImage | undefined> {
  if (!isPlace(name)) return undefined;
  const local = await readLocalImage(createLocalReference(name), scratch, { platform, signal });
  if (local === undefined) throw notThere(name);
  return { ...local, locations: [], origin: undefined };
}

/** Where the store's image of a local name is the very one that is meant: its layers stand by reference. */
export async function takeStored(
  name: string,
  { id, platform }: { readonly id: Digest } & Pick<WantedBase, "platform">,
  { store, run }: BuildRunWorkspace,
): Promise<BaseImage | undefined> {
  if (!isLocalName(name)) return undefined;
  const image = await findImage(store, name, platform);
  if (image?.manifest.config.digest !== id || !(await run.hold(image))) return undefined;
  const locations = await readLocations(store, image.digest);
  const known = new Set(locations.flatMap((one) => one.layers));
  const missing = await listMissingLayers(store, image);
  if (!missing.every(({ digest }) => known.has(digest))) return undefined;
  return { image, files: new Map(), locations, origin: undefined };
}
