import type { ImageReference } from "../copy/copy.ts";
import { type Digest, type Image, isExternal, type Location } from "../oci/oci.ts";
import { listMissingLayers } from "../store/store.ts";
import type { RegistryAnswers } from "./answers.ts";
import { indexHolders } from "./holders.ts";
import { listSeen } from "./seen-layers.ts";
import type { Workspace } from "./workspace.ts";

/** An image whose layers a build may keep, and where they are. */
export interface EarlierImage {
  readonly image: Image;
  readonly locations: readonly Location[];
}

/**
 * Begins to ask after what a build that keeps layers of earlier images will want to know in its end: whether registries
 * still have those that are not here, and which ones the destinations of a push have. It asks beside the build's steps, and
 * fails nothing.
 */
export function lookAhead(
  earlier: readonly EarlierImage[],
  pushes: readonly ImageReference[],
  { answers, store }: Pick<Workspace, "answers" | "store">,
): void {
  if (answers === undefined) return;
  const targets = new Set(pushes.flatMap(({ repository }) => repository ?? []));
  const look = async ({ image, locations }: EarlierImage): Promise<void> => {
    const missing = await listMissingLayers(store, image);
    const absent = new Set(missing.filter((one) => !isExternal(one)).map(({ digest }) => digest));
    askHolders(absent, locations, answers);
    for (const repository of targets) {
      await askTarget(repository, { locations, absent }, answers);
    }
  };
  // What the store does not tell now, the steps that need it will say.
  for (const one of earlier) void look(one).catch(() => {});
}

function askHolders(
  absent: ReadonlySet<Digest>,
  locations: readonly Location[],
  { begin }: RegistryAnswers,
): void {
  const findHolders = indexHolders(locations);
  for (const digest of absent) {
    const [first] = findHolders(digest);
    if (first !== undefined) begin({ repository: first.repository, digest, use: "pull" });
  }
}

async function askTarget(
  repository: string,
  known: { readonly locations: readonly Location[]; readonly absent: ReadonlySet<Digest> },
  answers: RegistryAnswers,
): Promise<void> {
  const own = known.locations.filter((one) => one.repository === repository);
  const seen = await listSeen({ repository, ...known }, answers);
  for (const digest of new Set(own.flatMap(({ layers }) => layers))) {
    if (!seen.has(digest)) answers.begin({ repository, digest, use: "push" });
  }
}
