import type { Descriptor } from "../oci/model.ts";
import type { Location } from "../store/locations.ts";
import type { TransportAccess } from "../transport/access.ts";
import { withRegistryClient } from "../transport/registry/client.ts";
import { createGone } from "./layers-gone.ts";

/**
 * Asks the registries after layers that stand in an image by reference, before anything is made to depend
 * on them. What a registry does not answer counts as there: whoever needs the bytes will find out.
 * Errors: `layer-gone` where every repository that had one says that it has it no more.
 */
export async function assertPresent(
  layers: readonly Descriptor[],
  locations: readonly Location[],
  access: TransportAccess,
  signal: AbortSignal,
): Promise<void> {
  if (layers.length === 0) return;
  const answers = await withRegistryClient(access, signal, (client) =>
    Promise.all(
      layers.map(async ({ digest }) => {
        const holders = locations.filter((one) => one.layers.includes(digest));
        for (const { repository } of holders) {
          if ((await client.hasBlob(repository, digest, "pull")) !== false) return true;
        }
        return false;
      }),
    ),
  );
  const gone = layers.filter((_, index) => answers[index] === false);
  if (gone.length > 0) throw createGone(gone, locations);
}
