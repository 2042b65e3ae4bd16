import type { Image, WantedPlatform } from "../oci/oci.ts";
import { findImage, listNamesGiven, type Store } from "../store/store.ts";
import type { TagPattern } from "./request.ts";

interface Wanted extends TagPattern {
  readonly platform: WantedPlatform;
}

/** Names of the store in a repository (`host[:port]/ns/repo`) whose tags fit, with their images, in the order in which they were given. */
export async function findStoredTags(
  repository: string,
  { matches, platform }: Wanted,
  store: Store,
): Promise<readonly { readonly name: string; readonly image: Image }[]> {
  const start = `${repository}:`;
  const names = (await listNamesGiven(store)).filter(
    (name) => name.startsWith(start) && matches(name.slice(start.length)),
  );
  const found = await Promise.all(
    names.map(async (name) => ({ name, image: await findImage(store, name, platform) })),
  );
  return found.flatMap(({ name, image }) => (image === undefined ? [] : [{ name, image }]));
}
