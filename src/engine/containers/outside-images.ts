import { type Digest, isSamePlatform, renderPlatform, type WantedPlatform } from "../../oci/oci.ts";
import type { EngineBuild } from "../model.ts";
import { describeVersion } from "../versions.ts";
import { addNames } from "./names.ts";
import { pinName } from "./run-names.ts";
import { claim, nameImages, type Session } from "./session-state.ts";
import type { PinnedImages, PlacedImages } from "../stage-names.ts";

/**
 * Gives each a name of the run's own, and those that are given besides. One that the file names by its ID keeps that: it
 * may have no other name, and would go with ours.
 */
export async function pinImages(
  session: Session,
  others: ReadonlyMap<Digest, readonly string[]>,
): Promise<PinnedImages> {
  const images = [...session.build.images];
  const named = images.filter(([key]) => !/^(?:sha256:.*|[0-9a-f]{3,64})$/.test(nameOfKey(key)));
  const hidden = await listHidden(session);
  const pinned = new Map(
    named.map(([name], index) => [name, pinName(session.label, index)] as const),
  );
  await claim(session, [...pinned.values()]);
  const wanted = new Map([...others].map(([id, names]) => [id, [...names]]));
  for (const [name, id] of named) {
    wanted.set(id, [...(wanted.get(id) ?? []), pinned.get(name) ?? name]);
  }
  for (const [id, names] of wanted) await addNames(id, names, session);
  return new Map([...pinned, ...hidden]);
}

/** The image's name in the file, without the platform that stands behind it (`imageKey`). */
export function nameOfKey(key: string): string {
  return key.split(" for ", 1)[0] ?? key;
}

/** IDs of images that the engine does not find by name and platform. */
async function listHidden({ commands, build }: Session): Promise<PinnedImages> {
  const special = [...build.platforms].filter(([, platform]) => isSpecial(platform));
  if (special.length === 0) return new Map();
  const { has } = describeVersion(commands.name, await commands.version());
  if (has("imageVariants")) return new Map();
  const ids = nameImages(build.images);
  return new Map(special.map(([key]) => [key, ids.get(key) ?? key]));
}

/** Whether it says more than its architecture alone would mean. */
function isSpecial(platform: WantedPlatform): boolean {
  const { os, architecture } = platform;
  return !isSamePlatform({ os, architecture }, platform);
}

export function placeImages({ platforms, images, steps }: EngineBuild): PlacedImages | undefined {
  if (platforms.size === 0) return undefined;
  return {
    platforms: new Map([...platforms].map(([key, one]) => [key, renderPlatform(one)])),
    ids: nameImages(images),
    isCalled: steps.platform !== undefined,
  };
}
