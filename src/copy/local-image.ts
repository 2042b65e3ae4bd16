import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { XbuildError } from "../errors.ts";
import {
  type Descriptor,
  type Digest,
  digestBytes,
  digestHex,
  type Image,
  isExternal,
  type LayerFiles,
  parseImage,
  parseManifest,
  pickPlatform,
  platformOf,
  type WantedPlatform,
} from "../oci/oci.ts";
import { ifPresent } from "../system/errno.ts";
import { blameDisk } from "./failures.ts";
import { makeLayout, readManifestDigest, writeLayerPlaceholders } from "./layout.ts";
import { isAbsent } from "./local-presence.ts";
import { withSourceName } from "./manifests.ts";
import { readLayoutDocuments, readLayoutId, readLayoutImage } from "./read-layout.ts";
import type { LocalReference } from "./reference.ts";
import { copyImage, type CopyOptions, readConfig, readManifest } from "./skopeo.ts";

export interface LocalImage {
  readonly image: Image;
  /** Of layers that are said to be elsewhere (`urls`) there may be none. */
  readonly files: LayerFiles;
}

interface LocalOptions {
  readonly platform: WantedPlatform;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The image of a reference to somewhere on this machine (a layout, an archive, an engine's storage), its layers copied
 * into a directory that is made; undefined where our own look says that there is none. Layers keep
 * their bytes where they have any: those of an engine's storage are compressed anew.
 * Errors: `copy-failed`, `image-invalid`, `image-unsupported`, `store-full`, each naming the reference.
 */
export async function readLocalImage(
  reference: LocalReference,
  directory: string,
  options: LocalOptions,
): Promise<LocalImage | undefined> {
  return copyToLayout(reference, directory, { ...options, known: new Map() });
}

/**
 * What tells such an image from any other, and no layer of it is copied: the digest of its config, as it is there.
 * undefined where our own look says that there is none. Errors: as `readLocalImage`.
 */
export async function readLocalId(
  { text }: LocalReference,
  { platform, signal }: LocalOptions,
): Promise<Digest | undefined> {
  return withSourceName(text, async () => {
    if (text.startsWith("oci:")) return readLayoutId(text, platform);
    if (await isAbsent(text)) return undefined;
    return digestBytes(await readConfig(text, { what: `read ${text}`, platform, signal }));
  });
}

/**
 * Manifest and config of such an image, and no layer of it is copied. An engine's storage gives the manifest that it keeps.
 * undefined where our own look says that there is none. Errors: as `readLocalImage`.
 */
export async function readLocalDocuments(
  { text }: LocalReference,
  { platform, signal }: LocalOptions,
): Promise<Image | undefined> {
  return withSourceName(text, async () => {
    if (text.startsWith("oci:")) return readLayoutDocuments(text, platform);
    if (await isAbsent(text)) return undefined;
    const options = { what: `read ${text}`, platform, signal };
    return parseImage(await readManifest(text, options), await readConfig(text, options));
  });
}

/** An image some of whose layers are known to be elsewhere. */
export interface PartialImage {
  readonly image: Pick<Image, "manifest" | "config">;
  /** Of the other layers. */
  readonly files: LayerFiles;
}

export interface PartialOptions extends LocalOptions {
  /** Layers that need not be copied, by their diff IDs. */
  readonly known: ReadonlyMap<Digest, Descriptor>;
}

/**
 * As `readLocalImage`, but for layers that are known: these stand in the manifest as they are known, and an engine's storage
 * need not give them.
 */
export async function readPartialImage(
  reference: LocalReference,
  directory: string,
  options: PartialOptions,
): Promise<PartialImage | undefined> {
  const local = await copyToLayout(reference, directory, options);
  if (local === undefined) return undefined;
  const { manifest, config } = local.image;
  const files = new Map<Digest, string>();
  const layers = manifest.layers.map((layer, index) => {
    const diffId = config.rootfs.diff_ids[index];
    const known = diffId === undefined ? undefined : options.known.get(diffId);
    const path = local.files.get(layer.digest);
    if (known === undefined && path !== undefined) files.set(layer.digest, path);
    return known ?? layer;
  });
  return { image: { manifest: { ...manifest, layers }, config }, files };
}

async function copyToLayout(
  { text }: LocalReference,
  directory: string,
  { known, ...options }: PartialOptions,
): Promise<LocalImage | undefined> {
  const blobs = await makeLayout(directory);
  try {
    return await withSourceName(text, async () => {
      if (text.startsWith("oci:")) return readLayoutImage(text, blobs, options);
      if (await isAbsent(text)) return undefined;
      if (text.startsWith(engineStorage)) await writeLayerPlaceholders(blobs, [...known.keys()]);
      if (mayBeIndex.test(text)) return readArchive(text, directory, options);
      await copyLocal(text, `oci:${directory}:image`, { ...options, what: `read ${text}` });
      const image = await readCopied(directory, blobs);
      return { image, files: await listFiles(image, blobs) };
    });
  } catch (error) {
    throw await blameDisk(error, directory);
  }
}

/** Its layers are named by their diff IDs when they are copied, and compressed where the destination wants that. */
const engineStorage = "containers-storage:";

/** Sources that have an index as it was pushed. */
const mayBeIndex = /^(?:oci-archive|dir):/;

/**
 * Of an index the platform's image is skopeo's choice, where it is one for the platform: skopeo takes an entry that says
 * no platform whatever its image is for, and finds none where only configs tell. Then all of it is unpacked, and read as
 * a layout is.
 */
async function readArchive(
  text: string,
  directory: string,
  options: LocalOptions,
): Promise<LocalImage | undefined> {
  const what = `read ${text}`;
  const blobs = join(directory, "blobs", "sha256");
  const failure = await copyLocal(text, `oci:${directory}:image`, { ...options, what }).catch(
    (error: unknown) => {
      if (error instanceof XbuildError && options.signal?.aborted !== true) return error;
      throw error;
    },
  );
  const image = failure === undefined ? await readCopied(directory, blobs) : undefined;
  const fits = image && pickPlatform([{ platform: platformOf(image) }], options.platform);
  if (image !== undefined && fits !== undefined) {
    return { image, files: await listFiles(image, blobs) };
  }
  const whole = join(directory, "whole");
  await makeLayout(whole);
  try {
    await copyImage(text, `oci:${whole}:image`, { all: true, signal: options.signal, what });
  } catch (error) {
    throw failure ?? error;
  }
  return readLayoutImage(`oci:${whole}:image`, blobs, options);
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
async function readCopied(directory: string, blobs: string): Promise<Image> {
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
