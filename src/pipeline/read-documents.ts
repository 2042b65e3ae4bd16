import type { ImageReference } from "../copy/copy.ts";
import type { Workspace } from "../delivery/delivery.ts";
import type { Image, WantedPlatform } from "../oci/oci.ts";
import { readImage } from "../store/store.ts";

/** Where images are read whose layers nobody wants. */
export type ReadWorkspace = Pick<Workspace, "store" | "registries" | "answers" | "signal">;

/** Manifest and config of an image of any place but the store. undefined where there is none. Errors: those of reading it */
export async function readDocuments(
  reference: ImageReference,
  platform: WantedPlatform,
  { registries: access, answers, store, signal }: ReadWorkspace,
): Promise<Image | undefined> {
  const { readLocalDocuments, readRemoteImage } = await import("../copy/copy.ts");
  if (reference.repository === undefined)
    return readLocalDocuments(reference, { platform, signal });
  return readRemoteImage(reference, {
    access,
    platform,
    signal,
    session: answers?.session,
    findImage: (digest) => readImage(store, digest),
  });
}
