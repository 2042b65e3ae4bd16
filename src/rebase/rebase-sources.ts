import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import {
  type ImageReference,
  parseReference,
  readRemoteImage,
  readRemoteIndex,
} from "../copy/copy.ts";
import type { RunWorkspace } from "../delivery/delivery.ts";
import { XbuildError } from "../errors.ts";
import {
  baseDigestAnnotation,
  baseNameAnnotation,
  type Image,
  type ImageIndex,
  isDigest,
  isLocalName,
  type LayerFiles,
  type Location,
  locateImage,
  platformOf,
  renderPlatform,
  type WantedPlatform,
} from "../oci/oci.ts";
import { findImage, findIndex, readImage, readLocations } from "../store/store.ts";
import { listSome } from "../text.ts";
import type { SourceName } from "./rebase-request.ts";

/** An image with what is known of its layers. */
export interface Source {
  /** As people know it, without its digest. */
  readonly name: string;
  /** In full, for others: undefined where no registry is known to have it. */
  readonly registryName: string | undefined;
  readonly image: Image;
  readonly locations: readonly Location[];
  /** Bytes that came with it, and are in no store. */
  readonly files: LayerFiles;
}

/** The image that a user names, from the store or from elsewhere. Errors: `image-not-found`, `registry-*`. */
export async function readSource(
  name: SourceName,
  platform: WantedPlatform,
  work: RunWorkspace,
): Promise<Source> {
  const stored = name.stored && (await findImage(work.store, name.stored, platform));
  // A prune beside us may take it away before it is held.
  if (stored && name.stored !== undefined && (await work.run.hold(stored))) {
    const locations = await readLocations(work.store, stored.digest);
    const registryName = isLocalName(name.stored) ? undefined : name.stored;
    return { name: name.stored, registryName, image: stored, locations, files: new Map() };
  }
  await assertOffered(name, platform, work);
  const elsewhere = name.reference && (await readElsewhere(name.reference, platform, work));
  if (elsewhere !== undefined) return elsewhere;
  const places = [
    ...(name.stored === undefined ? [] : [`the store as ${name.stored}`]),
    ...(name.reference === undefined ? [] : [name.reference.text]),
  ];
  throw new XbuildError(
    "image-not-found",
    `image ${name.text} not found (looked in ${places.join(", ")})`,
    {
      hint: "list the store's names with xbuild images, or write docker://NAME for an image in a registry",
    },
  );
}

/** Errors: `image-unsupported` for a name of the store whose index has other platforms */
async function assertOffered(
  { stored }: SourceName,
  platform: WantedPlatform,
  { store }: RunWorkspace,
): Promise<void> {
  const index = stored === undefined ? undefined : await findIndex(store, stored);
  if (index === undefined) return;
  const offered = index.images.map((image) => renderPlatform(platformOf(image)));
  const message = `${stored} has no image for ${renderPlatform(platform)}, but for ${listSome(offered)}`;
  const hint = "name another image, or another --platform";
  throw new XbuildError("image-unsupported", message, { hint });
}

/** The images of an index, and the index as far as it says something itself. */
export interface SourceIndex extends Pick<ImageIndex, "digest" | "annotations"> {
  readonly images: readonly Source[];
}

/**
 * The images of the index that a user names, a platform each; undefined where the name stands for one image, or for
 * none. What an index says of its images beside them (`isAttestation`) is not true of others. Errors: as `readSource`
 */
export async function readSourceIndex(
  name: SourceName,
  work: RunWorkspace,
): Promise<SourceIndex | undefined> {
  const { store } = work;
  const stored = name.stored === undefined ? undefined : await findIndex(store, name.stored);
  if (stored !== undefined && name.stored !== undefined) {
    const { digest, annotations } = stored;
    const platforms = stored.images.map((image) => platformOf(image));
    return { digest, annotations, images: await readAll(name, platforms, work) };
  }
  const { reference } = name;
  if (reference?.repository === undefined) return undefined;
  const { registries: access, signal, answers } = work;
  const index = await readRemoteIndex(reference, { access, signal, session: answers?.session });
  if (index === undefined) return undefined;
  const { digest, annotations, platforms } = index;
  return { digest, annotations, images: await readAll(name, platforms, work) };
}

async function readAll(
  name: SourceName,
  platforms: readonly WantedPlatform[],
  work: RunWorkspace,
): Promise<readonly Source[]> {
  const images: Source[] = [];
  for (const platform of platforms) images.push(await readSource(name, platform, work));
  return images;
}

async function readElsewhere(
  reference: ImageReference,
  platform: WantedPlatform,
  { run, registries: access, signal, answers }: RunWorkspace,
): Promise<Source | undefined> {
  const { repository, text } = reference;
  if (repository === undefined) {
    const { readLocalImage } = await import("../copy/copy.ts");
    const directory = await mkdtemp(join(run.directory, "local-"));
    const local = await readLocalImage(reference, directory, { platform, signal });
    return local && { name: text, registryName: undefined, ...local, locations: [] };
  }
  const scratch = join(await mkdtemp(join(run.directory, "policy-")), "judged");
  const { session } = answers ?? {};
  const image = await readRemoteImage(reference, { access, platform, signal, scratch, session });
  if (image === undefined) return undefined;
  const { name } = reference;
  const locations = [locateImage(image, repository)];
  return { name, registryName: name, image, locations, files: new Map() };
}

/**
 * The base that an image says it was built on, by its digest: from the store, or from the registry that its
 * name says. image-spec v1.1, annotations.md. Errors: `rebase-base-unknown`, `registry-*`.
 */
export async function readOldBase(
  image: Image,
  platform: WantedPlatform,
  work: RunWorkspace,
): Promise<Source> {
  const { [baseNameAnnotation]: name, [baseDigestAnnotation]: digest } =
    image.manifest.annotations ?? {};
  if (!isDigest(digest)) throw unknown("the image does not say which base it was built on");
  const stored = await readImage(work.store, digest);
  if (stored !== undefined && (await work.run.hold(stored))) {
    const locations = await readLocations(work.store, digest);
    const known = name === "" ? undefined : name;
    const source = { registryName: known, image: stored, locations, files: new Map() };
    return { ...source, name: known ?? "the old base" };
  }
  if (!name)
    throw unknown(
      `the image's base ${digest} is not in the store, and the image does not name a registry for it`,
    );
  const repository = findRepository(name);
  if (repository === undefined) {
    throw unknown(`the image's base ${name}@${digest} is neither in the store nor in a registry`);
  }
  const reference = parseReference(`${repository}@${digest}`);
  const source = await readElsewhere(reference, platform, work);
  if (source === undefined) throw unknown(`${repository} no longer has the image's base ${digest}`);
  return { ...source, name };
}

/** Anything may stand in an annotation. */
function findRepository(name: string): string | undefined {
  try {
    const { repository } = parseReference(name);
    return repository !== undefined && isLocalName(repository) ? undefined : repository;
  } catch (error) {
    if (error instanceof XbuildError) return undefined;
    throw error;
  }
}

function unknown(message: string): XbuildError {
  const hint = "name the base that it was built on with --from NAME";
  return new XbuildError("rebase-base-unknown", message, { hint });
}
