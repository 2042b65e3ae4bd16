import { type Descriptor, isExternal, type Location } from "../oci/oci.ts";
import { withAnswers } from "./answers.ts";
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
  work: Workspace,
): Promise<void> {
  const layers = all.filter((layer) => !isExternal(layer));
  if (layers.length === 0) return;
  const findHolders = indexHolders(locations);
  const found = await withAnswers(work, ({ answers }) =>
    Promise.all(
      layers.map(async ({ digest }) => {
        for (const { repository } of findHolders(digest)) {
          if ((await answers.hasBlob({ repository, digest, use: "pull" })) !== false) return true;
        }
        return false;
      }),
    ),
  );
  const unavailable = layers.filter((_, index) => found[index] === false);
  if (unavailable.length > 0) throw createLayersGone(unavailable, locations);
}
