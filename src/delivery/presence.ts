import { type Descriptor, isExternal, type Location } from "../oci/oci.ts";
import { withRegistryClient } from "../registry/registry.ts";
import { indexHolders } from "./holders.ts";
import { createLayersGone } from "./useless-layers.ts";
import type { Workspace } from "./workspace.ts";

/**
 * Asks the registries after layers that stand in an image by reference, before anything is made to depend
 * on them. What a registry does not answer counts as there: whoever needs the bytes will find out. Layers that
 * are said to be elsewhere (`urls`) need not be in a registry.
 * Errors: `layer-gone` where every repository that had one says that it has it no more.
 */
export async function assertPresent(
  all: readonly Descriptor[],
  locations: readonly Location[],
  { registries, signal }: Pick<Workspace, "registries" | "signal">,
): Promise<void> {
  const layers = all.filter((layer) => !isExternal(layer));
  if (layers.length === 0) return;
  const findHolders = indexHolders(locations);
  const answers = await withRegistryClient(registries, signal, (client) =>
    Promise.all(
      layers.map(async ({ digest }) => {
        for (const { repository } of findHolders(digest)) {
          if ((await client.hasBlob(repository, digest, "pull")) !== false) return true;
        }
        return false;
      }),
    ),
  );
  const unavailable = layers.filter((_, index) => answers[index] === false);
  if (unavailable.length > 0) throw createLayersGone(unavailable, locations);
}
