import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { XbuildError } from "../errors.ts";
import {
  type Descriptor,
  type Digest,
  digestHex,
  type Image,
  isExternal,
  type LayerFiles,
  parseImage,
  parseManifest,
} from "../oci/oci.ts";
import { ifPresent } from "../system/errno.ts";
import type { TransportAccess } from "./access.ts";
import { fetchExternalLayers } from "./external-layers.ts";
import { hints, isMissing } from "./failures.ts";
import { makeLayout, readManifestDigest, writePlaceholders } from "./layout.ts";
import { readManifestBytes, type WantedPlatform, withSourceName } from "./manifests.ts";
import type { ImageReference, RegistryReference } from "./reference.ts";
import { copyImage, type CopyOptions, type TransferOptions } from "./skopeo.ts";

/** Which layers are wanted, and where to. */
export interface LayerSelection {
  readonly digests: ReadonlySet<Digest>;
  /** An OCI layout is made there. */
  readonly directory: string;
}

/**
 * Brings these layers of an image in a registry, and no others, into an OCI layout. skopeo takes what a layout has
 * for granted: so the layers that nobody wants stand there as files of the right size without content. skopeo checks
 * the digests of what it brings.
 * @param source names a digest, and no manifest list
 * @returns those that have come: all that the manifest lists. Errors: `registry-*`.
 */
export async function fetchLayers(
  source: RegistryReference,
  { digests, directory }: LayerSelection,
  options: TransferOptions & { readonly access: TransportAccess },
): Promise<LayerFiles> {
  const { layers } = await withSourceName(source.text, async () =>
    parseManifest(await readManifestBytes(source, options)),
  );
  const blobs = await makeLayout(directory);
  const others = layers.filter((layer) => !digests.has(layer.digest));
  await writePlaceholders(blobs, others, options.signal);
  const brought = uniqueLayers(layers.filter((layer) => digests.has(layer.digest)));
  const mostBytes = limitBytes(brought);
  const destination = `oci:${directory}:fetched`;
  await copyImage(source.text, destination, { ...options, mostBytes, keepLayers: true });
  const external = brought.filter(isExternal);
  if (external.length > 0)
    await fetchExternalLayers({ source: source.text, layers: external }, blobs, options);
  await Promise.all(brought.map((layer) => assertSize(blobs, layer, source.text)));
  return new Map(brought.map(({ digest }) => [digest, join(blobs, digestHex(digest))]));
}

/** What these layers take, with room for whatever else skopeo writes and sends. */
function limitBytes(layers: readonly Descriptor[]): number {
  const sum = layers.reduce((total, layer) => total + layer.size, 0);
  return 2 * sum + 64 * 1024 * 1024;
}

function uniqueLayers(layers: readonly Descriptor[]): readonly Descriptor[] {
  return [...new Map(layers.map((layer) => [layer.digest, layer])).values()];
}

export interface LocalImage {
  readonly image: Image;
  readonly files: LayerFiles;
}

/**
 * The image of a reference to somewhere on this machine (a layout, an archive, an engine's storage), copied
 * with its layers into an OCI layout that is made in `directory`; undefined where there is none. Layers keep
 * their bytes where they have any: those of an engine's storage are compressed anew.
 * Errors: `copy-failed`, `image-invalid`, `image-unsupported`.
 */
export async function readLocalImage(
  reference: ImageReference,
  directory: string,
  options: TransferOptions & { readonly platform: WantedPlatform },
): Promise<LocalImage | undefined> {
  const blobs = await makeLayout(directory);
  const { platform } = options;
  try {
    const what = `read ${reference.text}`;
    await copyLocal(reference.text, `oci:${directory}:image`, { ...options, platform, what });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  const image = await readLayout(directory, blobs);
  return { image, files: await listFiles(image, blobs) };
}

/** Sources of which skopeo says that their layers are gzip, whatever they are; it compresses those anew. */
const uncompressed = /^(?:containers-storage|docker-archive|docker-daemon):/;

async function copyLocal(source: string, destination: string, options: CopyOptions): Promise<void> {
  if (!uncompressed.test(source)) {
    try {
      return await copyImage(source, destination, options);
    } catch (error) {
      // A manifest of Docker's has to become OCI's.
      if (!(error instanceof XbuildError) || error.code !== "copy-failed") throw error;
    }
  }
  return copyImage(source, destination, { ...options, gzip: true });
}

/** The one image of a layout that skopeo has just written. */
async function readLayout(directory: string, blobs: string): Promise<Image> {
  const digest = await readManifestDigest(directory);
  const manifestBytes = await readFile(join(blobs, digestHex(digest)));
  const { config } = parseManifest(manifestBytes);
  return parseImage(manifestBytes, await readFile(join(blobs, digestHex(config.digest))));
}

/** skopeo leaves out layers that are said to be elsewhere (`urls`). */
async function listFiles({ manifest }: Image, blobs: string): Promise<LayerFiles> {
  const files = new Map<Digest, string>();
  for (const layer of manifest.layers) {
    const path = join(blobs, digestHex(layer.digest));
    if (!isExternal(layer) || (await ifPresent(stat(path))) !== undefined) {
      files.set(layer.digest, path);
    }
  }
  return files;
}

async function assertSize(blobs: string, layer: Descriptor, source: string): Promise<void> {
  const status = await ifPresent(stat(join(blobs, digestHex(layer.digest))));
  if (status?.size === layer.size) return;
  const actual = status === undefined ? "was not sent" : `has ${status.size}`;
  const message = `the layer ${layer.digest} of ${source} ${actual}: it should have ${layer.size} bytes`;
  throw new XbuildError("registry-corrupt", message, { hint: hints.corrupt });
}
