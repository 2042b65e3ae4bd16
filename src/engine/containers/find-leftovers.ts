import { isJsonObject, ownAnnotationPrefix } from "../../oci/oci.ts";
import type { Leftover } from "../model.ts";
import { isLastingName, isPassingName } from "./run-names.ts";
import {
  readStoredAt,
  readStoredConfig,
  readStoredManifest,
  type StorageFiles,
  type StorageImage,
} from "./storage-files.ts";

/** A leftover, and whether it goes with its last name; others stay then without one, as they were before. */
export interface FoundLeftover extends Leftover {
  readonly isMade: boolean;
  readonly stored: StorageImage;
}

/**
 * The images of a storage that builds left there: those with names of ours, and those without a name that tell by what they
 * were called, or by what their steps stood on, that a run made them.
 */
export async function findLeftovers(files: StorageFiles): Promise<readonly FoundLeftover[]> {
  const listed = await listListed(files);
  const held = new Set(files.containers.map(({ image }) => image));
  const found: FoundLeftover[] = [];
  for (const stored of files.images) {
    // A manifest list of ours lives as long as its run; what somebody's list has must not go.
    if (stored.layer === undefined || stored.digests.some((one) => listed.has(one))) continue;
    const names = stored.names.filter(isLastingName);
    const isPassing = stored.names.some(isPassingName);
    const isOurs = names.length > 0 || (stored.names.length === 0 && (await isLostStep(stored)));
    if (!isOurs) continue;
    found.push({
      id: stored.id,
      names,
      isShared: stored.names.some((name) => !isLastingName(name) && !isPassingName(name)),
      isUsed: isPassing || held.has(stored.id),
      storedAt: await readStoredAt(stored),
      isMade: names.length === 0 || (await isMade(stored)),
      stored,
    });
  }
  return found;
}

/** Digests of the manifests that manifest lists have. */
async function listListed({ images }: StorageFiles): Promise<ReadonlySet<string>> {
  const lists = images.filter(({ layer }) => layer === undefined);
  const listed = new Set<string>();
  for (const list of lists) {
    const manifests = (await readStoredManifest(list))?.["manifests"];
    for (const one of Array.isArray(manifests) ? manifests : []) {
      const digest = isJsonObject(one) ? one["digest"] : undefined;
      if (typeof digest === "string") listed.add(digest);
    }
  }
  return listed;
}

/** Whether an image without a name is a step of the engine's cache, or an environment, that nobody but us has named. */
async function isLostStep(stored: StorageImage): Promise<boolean> {
  const given = stored.earlierNames.filter((name) => !enginesOwn.test(name));
  if (given.some((name) => !isLastingName(name) && !isPassingName(name))) return false;
  return given.some(isLastingName) || standsOnRun(stored);
}

/** The name of an image whose commit is under way. */
const enginesOwn = /\/[0-9a-f]{64}-tmp(?::latest)?$/;

/** Whether a run of ours has made, loaded or pulled an image with a name of ours: somebody's base can have one, too. */
async function isMade(stored: StorageImage): Promise<boolean> {
  if (stored.names.some((name) => name.startsWith(basePrefix))) return true;
  return (await standsOnRun(stored)) || (await isImageOfOurs(stored));
}

const basePrefix = "localhost/xbuild-base:";

/** The engines write into an image's history what its first step stood on: with us, a name of the run. */
async function standsOnRun(stored: StorageImage): Promise<boolean> {
  const history = (await readStoredConfig(stored))?.["history"];
  return (Array.isArray(history) ? history : []).some((entry) => {
    const comment = isJsonObject(entry) ? entry["comment"] : undefined;
    return typeof comment === "string" && comment.startsWith(fromRun);
  });
}

const fromRun = "FROM localhost/xbuild-run-";

/** Whether it is a stage's image, which the engine was given. */
async function isImageOfOurs(stored: StorageImage): Promise<boolean> {
  const annotations = (await readStoredManifest(stored))?.["annotations"];
  const keys = isJsonObject(annotations) ? Object.keys(annotations) : [];
  return keys.some((key) => key.startsWith(ownAnnotationPrefix));
}
