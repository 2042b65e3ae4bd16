import type { ImageReference } from "../copy/copy.ts";
import type { PreviousImage } from "../layers/layers.ts";
import { locateImage } from "../oci/oci.ts";
import { readImage } from "../store/store.ts";
import type { ReuseRequest } from "./request.ts";
import type { BuildRunWorkspace } from "./workspace.ts";

/** An image that is in no store of ours. */
export type ReadImage = Pick<PreviousImage, "image" | "locations" | "files">;

export interface ReadPlace extends Pick<ReuseRequest, "platform"> {
  /** A private directory that does not exist yet. */
  readonly scratch: string;
}

/**
 * What a reference names: of a registry's image manifest and config, of one on this machine all. undefined where there is
 * none. Errors: `registry-*`, `image-*`, `copy-failed` and others, each naming the reference.
 */
export async function readReference(
  reference: ImageReference,
  { platform, scratch }: ReadPlace,
  { registries: access, signal, answers, store }: Omit<BuildRunWorkspace, "run">,
): Promise<ReadImage | undefined> {
  const { readLocalImage, readRemoteImage } = await import("../copy/copy.ts");
  const { repository } = reference;
  if (repository === undefined) {
    const local = await readLocalImage(reference, scratch, { platform, signal });
    return local && { ...local, locations: [] };
  }
  const image = await readRemoteImage(reference, {
    access,
    platform,
    signal,
    scratch,
    session: answers?.session,
    findImage: (digest) => readImage(store, digest),
  });
  return image && { image, locations: [locateImage(image, repository)], files: new Map() };
}
