import { XbuildError } from "../../errors.ts";
import type { Digest } from "../../oci/oci.ts";
import type { HeldLayer } from "../model.ts";
import type { ContainersCommands } from "./commands.ts";
import { readStorageLayers } from "./storage-files.ts";

/**
 * Which of these layers are in the storage as the very blobs that are meant: who loads an image that has them is asked for
 * none of their bytes (containers/image, `storage`, `TryReusingBlob`). The storage has unpacked them itself, so that its
 * word on what is in a blob is as good as our own. None where it does not tell.
 */
export async function findHeldLayers(
  layers: readonly HeldLayer[],
  commands: Pick<ContainersCommands, "locateStorage">,
): Promise<ReadonlySet<Digest>> {
  try {
    const stored = await readStorageLayers(await commands.locateStorage());
    const held = new Set(
      stored.flatMap(({ blob, diffId }) => [`${blob} ${diffId}`, `${diffId} ${diffId}`]),
    );
    return new Set(
      layers.flatMap(({ digest, diffId }) => (held.has(`${digest} ${diffId}`) ? [digest] : [])),
    );
  } catch (error) {
    if (error instanceof XbuildError) return new Set();
    throw error;
  }
}
