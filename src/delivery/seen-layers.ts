import {
  type Digest,
  type Image,
  locateImage,
  type Location,
  narrowLocations,
} from "../oci/oci.ts";
import { readLocations, writeLocations } from "../store/store.ts";
import type { RegistryAnswers } from "./answers.ts";
import type { RunWorkspace, Workspace } from "./workspace.ts";

/**
 * Milliseconds for which it counts that a layer was seen in a repository. Whoever collects a registry's garbage leaves
 * the layers of a manifest that is there; it is for what is lost otherwise that they are looked after again.
 */
const longestTrust = 60 * 60_000;

/** Layers that may be in a repository, and what is known of them. */
export interface SeenLayers {
  readonly repository: string;
  readonly locations: readonly Location[];
  /** Layers whose bytes are not here. */
  readonly absent: ReadonlySet<Digest>;
}

/**
 * Those that need not be asked for: an hour ago at most each was seen in the repository, which still gives out a manifest
 * that lists it. Only those whose bytes are here count: where the registry refuses the image, they can be sent again.
 * @returns when each was seen
 */
export async function listSeen(
  { repository, locations, absent }: SeenLayers,
  answers: RegistryAnswers,
): Promise<ReadonlyMap<Digest, number>> {
  const seen = new Map<Digest, number>();
  for (const { checked, manifest, layers } of locations.filter(
    (one) => one.repository === repository,
  )) {
    const own = layers.filter((digest) => !absent.has(digest));
    if (checked === undefined || !isRecent(checked) || own.length === 0) continue;
    if (!(await answers.hasManifest(repository, manifest))) continue;
    for (const digest of own) seen.set(digest, checked);
  }
  return seen;
}

/** When all layers of the image were seen in a repository, under its own manifest; undefined where that is too long ago. */
export async function findCheck(
  image: Image,
  repository: string,
  { store }: Pick<Workspace, "store">,
): Promise<number | undefined> {
  const known = await readLocations(store, image.digest);
  const own = known.find(
    (one) => one.repository === repository && one.manifest === image.digest,
  )?.checked;
  return own !== undefined && isRecent(own) ? own : undefined;
}

function isRecent(checked: number): boolean {
  const age = Date.now() - checked;
  return age >= 0 && age <= longestTrust;
}

/** That a repository has all of the image, and when its layers were seen there; undefined: that is not known. */
export interface PushedImage {
  readonly image: Image;
  readonly repository: string;
  readonly checked: number | undefined;
}

/** Keeps that a repository has all of the image now. */
export async function notePushed(
  { image, repository, checked }: PushedImage,
  { store }: Pick<RunWorkspace, "store">,
): Promise<void> {
  const known = await readLocations(store, image.digest);
  const here = { ...locateImage(image, repository), checked };
  const others = known.filter((one) => one.repository !== repository);
  await writeLocations(store, image.digest, narrowLocations([here, ...others], image));
}

/** Forgets when layers of the image were seen in a repository: it has said otherwise. */
export async function forgetSeen(
  image: Image,
  repository: string,
  { store }: Pick<RunWorkspace, "store">,
): Promise<void> {
  const known = await readLocations(store, image.digest);
  const left = known.map(({ checked, ...one }) =>
    one.repository === repository ? one : Object.assign(one, { checked }),
  );
  await writeLocations(store, image.digest, left);
}
