import { XbuildError } from "../errors.ts";
import { type Digest, isLocalName, parseImageName } from "../oci/oci.ts";
import { imageKey } from "../plan/plan.ts";
import { findImage, listMissingLayers, readLocations } from "../store/store.ts";
import type { BaseImage } from "./bases.ts";
import type { WantedBase } from "./find-base.ts";
import {
  findUsed,
  type ImageUse,
  isElsewhere,
  nameImage,
  type ResolvedImage,
} from "./resolve-images.ts";
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
  if (isElsewhere(name)) {
    const { createLocalReference, readLocalId } = await import("../copy/copy.ts");
    const id = await readLocalId(createLocalReference(name), { ...work, platform });
    if (id === undefined) throw notThere(name);
    return { id, isHere: true, isPlaced: true };
  }
  const { pull } = use.request.steps;
  const used = await findUsed(use, work);
  if (used !== undefined)
    return pull === "always" || pull === "newer" ? undefined : { id: used, isHere: true };
  const image = await findImage(work.store, completeName(name), platform);
  return image && { id: image.manifest.config.digest, isHere: true, isPlaced: true };
}

/** As the store has it: a local name, with a tag. */
function completeName(name: string): string {
  return name.includes("@") ? name : parseImageName(name).full;
}

/** Whether no step uses it. */
export function isOnlyBelow({ reference, plan, request }: ImageUse): boolean {
  const key = imageKey(reference);
  const used = plan.dependencies.stages.flatMap(({ base, uses }) => [
    base,
    ...uses.map(({ reference }) => reference),
  ]);
  return !used.some((one) => one.kind !== "built" && nameImage(one, request) === key);
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
  if (!isElsewhere(name)) return undefined;
  const { createLocalReference, readLocalImage } = await import("../copy/copy.ts");
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
  const image = await findImage(store, completeName(name), platform);
  if (image?.manifest.config.digest !== id || !(await run.hold(image))) return undefined;
  const locations = await readLocations(store, image.digest);
  const known = new Set(locations.flatMap((one) => one.layers));
  const missing = await listMissingLayers(store, image);
  if (!missing.every(({ digest }) => known.has(digest))) return undefined;
  return { image, files: new Map(), locations, origin: undefined };
}
