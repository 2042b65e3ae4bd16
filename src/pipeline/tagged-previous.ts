import { join } from "node:path";
import type { RegistryReference } from "../copy/copy.ts";
import { XbuildError } from "../errors.ts";
import type { PreviousImage, PreviousImages } from "../layers/layers.ts";
import { type Digest, type Image, locateImage, readCreated } from "../oci/oci.ts";
import { findImage, listNamesGiven } from "../store/store.ts";
import { listSome } from "../text.ts";
import { listTags, maxParallel } from "./list-tags.ts";
import type { ReuseRequest } from "./request.ts";
import { describeStored } from "./stored-previous.ts";
import type { BuildRunWorkspace } from "./workspace.ts";

/** More tags than these are not read to find out which is the newest. */
const maxTags = 100;

/**
 * The images that --cache-tags finds in the repositories of the image's names, the newest first: of the store's tags the
 * one that was given last, and of those in a registry that the image is pushed to the one that was created last. Where
 * dates do not tell, it is the one that this store gave last. The build's own names are none of them.
 * Errors: `cache-tags-unclear`, and those of the registry.
 */
export async function readTagged(
  reuse: ReuseRequest,
  work: BuildRunWorkspace,
): Promise<PreviousImages> {
  const stored = await findStored(reuse, work);
  const found: PreviousImage[] = [...stored];
  for (const repository of listRepositories(reuse)) {
    const remote = await findRemote(repository, { reuse, stored }, work);
    if (remote !== undefined) found.push(remote);
  }
  const dated = found.every(({ image }) => readDate(image) !== undefined);
  return dated ? found.sort((a, b) => compareDates(b.image, a.image)) : found;
}

/** The last named of each repository. */
async function findStored(
  { names, cacheTags, platform }: ReuseRequest,
  work: BuildRunWorkspace,
): Promise<PreviousImages> {
  const own = new Set(names.map(({ full }) => full));
  const repositories = new Set(names.map((one) => `${one.registry}/${one.repository}`));
  const given = (await listNamesGiven(work.store)).toReversed().filter((name) => !own.has(name));
  const found: PreviousImage[] = [];
  for (const repository of repositories) {
    for (const name of given) {
      const tag = name.startsWith(`${repository}:`) ? name.slice(repository.length + 1) : undefined;
      if (tag === undefined || cacheTags?.matches(tag) !== true) continue;
      const image = await findImage(work.store, name, platform);
      if (image === undefined) continue;
      found.push(...(await describeStored({ name, image, origin: "tags" }, work)));
      break;
    }
  }
  return found;
}

function listRepositories({ pushes }: ReuseRequest): ReadonlySet<string> {
  return new Set(pushes.flatMap(({ repository }) => repository ?? []));
}

interface Sources {
  readonly reuse: ReuseRequest;
  readonly stored: PreviousImages;
}

async function findRemote(
  repository: string,
  { reuse, stored }: Sources,
  work: BuildRunWorkspace,
): Promise<PreviousImage | undefined> {
  const own = new Set(reuse.pushes.map(({ name }) => name));
  const fitting = await listTags(repository, reuse.cacheTags, work);
  // But for the build's own.
  const tags = fitting.filter((tag) => !own.has(`${repository}:${tag}`));
  const candidates = await readCandidates({ repository, tags, reuse }, work);
  const given = new Set(stored.map(({ image }) => image.digest));
  const newest = pickNewest(candidates, given, repository);
  if (newest === undefined) return undefined;
  const { reference, image } = newest;
  return {
    reference: `${reference.name}@${image.digest}`,
    image,
    origin: "tags",
    isDestination: false,
    // Nobody named it.
    trusted: reuse.trust === "all",
    withheld: new Set(),
    locations: [locateImage(image, repository)],
    files: new Map(),
  };
}

interface Candidate {
  readonly reference: RegistryReference;
  readonly image: Image;
}

interface Tags {
  readonly repository: string;
  readonly tags: readonly string[];
  readonly reuse: ReuseRequest;
}

/** One for each image. What is no image of the platform (a signature, say) is none. */
async function readCandidates(
  { repository, tags, reuse }: Tags,
  { registries: access, signal, run }: BuildRunWorkspace,
): Promise<readonly Candidate[]> {
  if (tags.length > maxTags) throw refuseTags(repository, tags.length);
  const { parseRegistryReference, readRemoteImage } = await import("../copy/copy.ts");
  const { default: pLimit } = await import("p-limit");
  const { platform } = reuse;
  const read = async (tag: string): Promise<Candidate | undefined> => {
    const reference = parseRegistryReference(`${repository}:${tag}`);
    const scratch = join(run.directory, `tagged-${tags.indexOf(tag)}`);
    try {
      const image = await readRemoteImage(reference, { access, platform, signal, scratch });
      return image && { reference, image };
    } catch (error) {
      const isOther =
        error instanceof XbuildError && /^image-(?:invalid|unsupported)$/.test(error.code);
      if (!isOther) throw error;
      return undefined;
    }
  };
  const found = await pLimit(maxParallel).map(tags, read);
  const images = found.flatMap((one) =>
    one === undefined ? [] : [[one.image.digest, one] as const],
  );
  return [...new Map(images).values()];
}

function refuseTags(repository: string, count: number): XbuildError {
  const message = `--cache-tags: ${count} tags of ${repository} fit, and more than ${maxTags} are not compared`;
  return new XbuildError("cache-tags-unclear", message, {
    hint: "give a pattern that fewer tags fit, or name one with --cache-from",
  });
}

function pickNewest(
  candidates: readonly Candidate[],
  given: ReadonlySet<Digest>,
  repository: string,
): Candidate | undefined {
  const dates = candidates.map(({ image }) => readDate(image) ?? Number.NaN);
  const last = Math.max(...dates);
  const newest = candidates.filter((_, index) => dates[index] === last);
  // An image without a date leaves none that is the last.
  if (newest.length === 1 || candidates.length <= 1) return newest[0] ?? candidates[0];
  const own = candidates.find(({ image }) => given.has(image.digest));
  if (own !== undefined) return own;
  throw createUnclear(repository, newest.length > 0 ? newest : candidates.filter(hasNoDate));
}

function createUnclear(repository: string, candidates: readonly Candidate[]): XbuildError {
  const named = candidates.map(({ reference, image }) => {
    return `${reference.reference} (${image.config.created ?? "no date"})`;
  });
  const message = `--cache-tags: which tag of ${repository} is the newest cannot be told: ${listSome(named, 5)}`;
  return new XbuildError("cache-tags-unclear", message, {
    hint: `name one: --cache-from ${repository}:${candidates[0]?.reference.reference ?? "TAG"}`,
  });
}

function hasNoDate({ image }: Candidate): boolean {
  return readDate(image) === undefined;
}

function readDate({ config }: Image): number | undefined {
  return readCreated(config);
}

function compareDates(a: Image, b: Image): number {
  return (readDate(a) ?? 0) - (readDate(b) ?? 0);
}
