import {
  type Descriptor,
  type Digest,
  type Image,
  type ImageConfig,
  isAttestation,
  isDigest,
  isJsonObject,
  type Manifest,
  pickPlatform,
  platformOf,
  type WantedPlatform,
} from "../../oci/oci.ts";
import { explainFailures } from "../layout/failures.ts";
import { findNamedEntry, nameOfEntry, readIndex } from "../layout/index-file.ts";
import type { Store } from "../layout/paths.ts";
import { readRoot, type Root } from "./manifests.ts";
import { readDocument } from "./read-document.ts";

/** What a name stands for: one image, or an index of several platforms' images. */
export interface NamedImages {
  readonly name: string;
  /** Of the manifest, or of the index. */
  readonly digest: Digest;
  readonly isIndex: boolean;
  /** At least one. */
  readonly images: readonly Image[];
}

/**
 * The image of a full name (`localhost/app:latest`), or undefined where the store has none. Of an index: that of the
 * platform asked for, or undefined where it has none for it; unless one is asked for, the first.
 * Errors: `store-damaged`, unless the store has `onDamage`.
 */
export async function findImage(
  store: Store,
  name: string,
  platform?: WantedPlatform,
): Promise<Image | undefined> {
  return explainFailures(store.directory, async () => {
    const entry = await findEntry(store, name);
    const root = entry && (await readRoot(store, entry.digest));
    if (entry === undefined || root === undefined) return undefined;
    // Whoever names one image means that one.
    if (!root.isIndex) return readImage(store, entry.digest);
    return pickImage(await readImages(store, root), platform);
  });
}

/** The digest of what a full name stands for: an image's manifest, or an index. */
export async function findNamed(store: Store, name: string): Promise<Digest | undefined> {
  const entry = await explainFailures(store.directory, () => findEntry(store, name));
  return entry?.digest;
}

/** All full names, in the order in which they were given to what they stand for. */
export async function listNames(store: Store): Promise<readonly string[]> {
  const { manifests } = await explainFailures(store.directory, () => readIndex(store));
  return manifests.flatMap((one) => nameOfEntry(one) ?? []);
}

/** A full name that stands for an image or an index, the last that was given; undefined where none does. */
export async function findNameOf(store: Store, digest: Digest): Promise<string | undefined> {
  const { manifests } = await explainFailures(store.directory, () => readIndex(store));
  const named = manifests.findLast((one) => one.digest === digest && nameOfEntry(one));
  return named && nameOfEntry(named);
}

async function findEntry(store: Store, name: string): Promise<Descriptor | undefined> {
  const { manifests } = await readIndex(store);
  return findNamedEntry(manifests, name);
}

/** By what the images themselves say: a descriptor need not. */
function pickImage(
  images: readonly Image[],
  platform: WantedPlatform | undefined,
): Image | undefined {
  if (platform === undefined) return images[0];
  const offered = images.map((image) => ({ image, platform: platformOf(image) }));
  return pickPlatform(offered, platform)?.image;
}

/** The image of a manifest's digest, or undefined where its manifest or config is not here. Errors: as `findImage`. */
export async function readImage(store: Store, digest: Digest): Promise<Image | undefined> {
  return explainFailures(store.directory, async () => {
    const manifest = await readDocument(store, digest, isManifest);
    if (manifest === undefined) return undefined;
    const config = await readDocument(store, manifest.value.config.digest, isConfig);
    if (config === undefined) return undefined;
    return {
      digest,
      manifestBytes: manifest.bytes,
      manifest: manifest.value,
      configBytes: config.bytes,
      config: config.value,
    };
  });
}

/** Every name with its images, in the order of the names. What is not whole is left out. */
export async function listImages(store: Store): Promise<readonly NamedImages[]> {
  const { manifests } = await explainFailures(store.directory, () => readIndex(store));
  const all = await Promise.all(
    manifests.map(async (entry): Promise<readonly NamedImages[]> => {
      const name = nameOfEntry(entry);
      const root = name === undefined ? undefined : await readRoot(store, entry.digest);
      if (name === undefined || root === undefined) return [];
      const images = await readImages(store, root);
      if (images.length === 0) return [];
      return [{ name, digest: entry.digest, isIndex: root.isIndex, images }];
    }),
  );
  return all.flat().sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** None where one of them is not here. */
async function readImages(store: Store, root: Root): Promise<readonly Image[]> {
  const manifests = root.manifests.filter((one) => !isAttestation(one));
  const images = await Promise.all(manifests.map(({ digest }) => readImage(store, digest)));
  const found = images.filter((image) => image !== undefined);
  return found.length < images.length ? [] : found;
}

function isManifest(value: unknown): value is Manifest {
  if (!isJsonObject(value) || !isJsonObject(value["config"])) return false;
  return isDigest(value["config"]["digest"]) && Array.isArray(value["layers"]);
}

function isConfig(value: unknown): value is ImageConfig {
  return (
    isJsonObject(value) &&
    isJsonObject(value["rootfs"]) &&
    Array.isArray(value["rootfs"]["diff_ids"])
  );
}
