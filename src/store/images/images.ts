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
    const manifestBytes = await readDocument(store, digest);
    if (manifestBytes === undefined) return undefined;
    const manifest = parseDocument(store, digest, manifestBytes, isManifest);
    if (manifest === undefined) return undefined;
    const configBytes = await readDocument(store, manifest.config.digest);
    if (configBytes === undefined) return undefined;
    const config = parseDocument(store, manifest.config.digest, configBytes, isConfig);
    return config && { digest, manifestBytes, manifest, configBytes, config };
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
  const bytes = await readDocument(store, entry.digest);
  const index = bytes && parseDocument(store, entry.digest, bytes, isNestedIndex);
  return index?.manifests ?? [];
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

/** The bytes of a manifest, index or config, checked against their digest. */
async function readDocument(store: Store, digest: Digest): Promise<Uint8Array | undefined> {
  const bytes = await ifPresent(readFile(blobPath(store, digest)));
  if (bytes === undefined) return undefined;
  if (digestBytes(bytes) === digest) return new Uint8Array(bytes);
  return reportDamage(store, digest, "does not match its digest");
}

/**
 * What the bytes say. They are those of the digest, and who wrote them checked them, so a glance at their
 * form is enough to keep a document of another kind out.
 */
function parseDocument<T>(
  store: Store,
  digest: Digest,
  bytes: Uint8Array,
  isOfKind: (value: unknown) => value is T,
): T | undefined {
  const document: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
  return isOfKind(document)
    ? document
    : reportDamage(store, digest, "is not of the kind it should be");
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
