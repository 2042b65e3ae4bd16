import { mkdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { XbuildError } from "../errors.ts";
import { digestHex, isDigest } from "../oci/digest.ts";
import { isJsonObject } from "../oci/json.ts";
import type { Descriptor, Digest, Image } from "../oci/model.ts";
import { parseImage, parseManifest } from "../oci/schema.ts";
import type { TransportAccess } from "./access.ts";
import { isMissing } from "./failures.ts";
import type { ImageReference } from "./reference.ts";
import type { WantedPlatform } from "./remote-image.ts";
import { copyImage, inspect, type CopyOptions, type TransferOptions } from "./skopeo.ts";

/** Layers with their bytes: the file of each. */
export type LayerFiles = ReadonlyMap<Digest, string>;

/**
 * Brings these layers of an image in a registry, and no others, into an OCI layout that is made in
 * `directory`. skopeo takes what a layout has for granted: so the layers that nobody wants stand there as
 * files of the right size without content. skopeo checks the digests of what it brings.
 * @param source `docker://repository@digest`, no manifest list
 * @returns those that have come: all that the manifest lists. Errors: `registry-*`.
 */
export async function fetchLayers(
  source: string,
  wanted: ReadonlySet<Digest>,
  directory: string,
  options: TransferOptions & { readonly access: TransportAccess },
): Promise<LayerFiles> {
  const { layers } = parseManifest(await inspect(source, ["--raw"], options));
  const blobs = await makeLayout(directory);
  await Promise.all(
    layers
      .filter((layer) => !wanted.has(layer.digest))
      .map((layer) => writePlaceholder(join(blobs, digestHex(layer.digest)), layer.size)),
  );
  await copyImage(source, `oci:${directory}:fetched`, { ...options, keepLayers: true });
  const brought = layers.filter((layer) => wanted.has(layer.digest));
  await Promise.all(brought.map((layer) => assertSize(blobs, layer, source)));
  return new Map(brought.map(({ digest }) => [digest, join(blobs, digestHex(digest))]));
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
  const digests = image.manifest.layers.map((layer) => layer.digest);
  return { image, files: new Map(digests.map((one) => [one, join(blobs, digestHex(one))])) };
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
  const index: unknown = JSON.parse(await readFile(join(directory, "index.json"), "utf8"));
  const entries =
    isJsonObject(index) && Array.isArray(index["manifests"]) ? index["manifests"] : [];
  const [entry] = entries;
  const digest = isJsonObject(entry) ? entry["digest"] : undefined;
  if (!isDigest(digest))
    throw new XbuildError("copy-failed", `skopeo wrote no image into ${directory}`);
  const manifestBytes = await readFile(join(blobs, digestHex(digest)));
  const { config } = parseManifest(manifestBytes);
  return parseImage(manifestBytes, await readFile(join(blobs, digestHex(config.digest))));
}

async function makeLayout(directory: string): Promise<string> {
  const blobs = join(directory, "blobs", "sha256");
  await mkdir(blobs, { recursive: true });
  await writeFile(join(directory, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  return blobs;
}

/** Sparse: it takes no room. */
async function writePlaceholder(path: string, size: number): Promise<void> {
  await writeFile(path, "");
  await truncate(path, size);
}

async function assertSize(blobs: string, layer: Descriptor, source: string): Promise<void> {
  const { size } = await stat(join(blobs, digestHex(layer.digest)));
  if (size === layer.size) return;
  const message = `the layer ${layer.digest} of ${source} has ${size} bytes, and not ${layer.size}`;
  throw new XbuildError("registry-corrupt", message, { hint: "push the image again" });
}
