import { readFile } from "node:fs/promises";
import { XbuildError } from "../../errors.ts";
import { digestBytes, isDigest } from "../../oci/oci.ts";
import { isJsonObject } from "../../oci/oci.ts";
import { ociIndexType, toOciMediaType } from "../../oci/oci.ts";
import type { Descriptor, Digest, Image, ImageConfig, Manifest, Platform } from "../../oci/oci.ts";
import { explainFailures } from "../layout/failures.ts";
import { ifPresent } from "../../system/errno.ts";
import { nameOfEntry, readIndex } from "../layout/index-file.ts";
import { blobPath, type Store } from "../layout/paths.ts";

export interface NamedImage {
  readonly name: string;
  readonly image: Image;
}

/**
 * The image of a full name (`localhost/app:latest`), or undefined where the store has none. Of an index of
 * several platforms: the one asked for. Errors: `store-damaged`, unless the store has `onDamage`.
 */
export async function findImage(
  store: Store,
  name: string,
  platform?: Platform,
): Promise<Image | undefined> {
  return explainFailures(store.directory, async () => {
    const { manifests } = await readIndex(store);
    const entry = manifests.findLast((item) => nameOfEntry(item) === name);
    return entry === undefined ? undefined : readEntry(store, entry, platform);
  });
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

/** Every name with its image, in the order of the names. An image that is not whole is left out. */
export async function listImages(store: Store): Promise<readonly NamedImage[]> {
  const { manifests } = await explainFailures(store.directory, () => readIndex(store));
  const images = await Promise.all(
    manifests.map(async (entry): Promise<readonly NamedImage[]> => {
      const name = nameOfEntry(entry);
      const image = name === undefined ? undefined : await readEntry(store, entry, undefined);
      return name === undefined || image === undefined ? [] : [{ name, image }];
    }),
  );
  return images.flat().sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The manifests that an entry of the index stands for: itself, or those of its platforms. */
export async function listManifests(
  store: Store,
  entry: Descriptor,
): Promise<readonly Descriptor[]> {
  if (toOciMediaType(entry.mediaType) !== ociIndexType) return [entry];
  const index = await readDocument(store, entry.digest, isNestedIndex);
  return index?.value.manifests ?? [];
}

async function readEntry(
  store: Store,
  entry: Descriptor,
  platform: Platform | undefined,
): Promise<Image | undefined> {
  const manifests = await listManifests(store, entry);
  const fitting = platform && manifests.find((item) => fits(item.platform, platform));
  const chosen = fitting ?? manifests[0];
  return chosen === undefined ? undefined : readImage(store, chosen.digest);
}

function fits(offered: Platform | undefined, wanted: Platform): boolean {
  const { architecture, os, variant } = wanted;
  return (
    offered?.architecture === architecture &&
    offered.os === os &&
    (variant === undefined || offered.variant === undefined || offered.variant === variant)
  );
}

interface Document<T> {
  readonly bytes: Uint8Array;
  readonly value: T;
}

/**
 * A manifest, index or config, its bytes checked against their digest. Who wrote them checked what they say, so a
 * glance at their form is enough to keep a document of another kind out.
 */
async function readDocument<T>(
  store: Store,
  digest: Digest,
  isOfKind: (value: unknown) => value is T,
): Promise<Document<T> | undefined> {
  const bytes = await ifPresent(readFile(blobPath(store, digest)));
  if (bytes === undefined) return undefined;
  if (digestBytes(bytes) !== digest)
    return reportDamage(store, digest, "does not match its digest");
  const value: unknown = JSON.parse(bytes.toString("utf8"));
  if (isOfKind(value)) return { bytes: new Uint8Array(bytes), value };
  return reportDamage(store, digest, "is not of the kind it should be");
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

interface NestedIndex {
  readonly manifests: readonly Descriptor[];
}

function isNestedIndex(value: unknown): value is NestedIndex {
  return isJsonObject(value) && Array.isArray(value["manifests"]);
}

function reportDamage(store: Store, digest: Digest, what: string): undefined {
  const error = new XbuildError("store-damaged", `${blobPath(store, digest)} ${what}`, {
    hint: "run xbuild cache verify --repair: it repairs what can be repaired",
  });
  if (store.onDamage === undefined) throw error;
  store.onDamage(error);
  return undefined;
}
