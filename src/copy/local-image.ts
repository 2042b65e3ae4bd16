import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { XbuildError } from "../errors.ts";
import {
  type Digest,
  digestHex,
  type Image,
  isExternal,
  type LayerFiles,
  parseImage,
  parseManifest,
  type WantedPlatform,
} from "../oci/oci.ts";
import { ifPresent } from "../system/errno.ts";
import { blameDisk } from "./failures.ts";
import { makeLayout, readManifestDigest } from "./layout.ts";
import { isAbsent } from "./local-presence.ts";
import { withSourceName } from "./manifests.ts";
import { readLayoutImage } from "./read-layout.ts";
import type { LocalReference } from "./reference.ts";
import { copyImage, type CopyOptions } from "./skopeo.ts";

export interface LocalImage {
  readonly image: Image;
  /** Of layers that are said to be elsewhere (`urls`) there may be none. */
  readonly files: LayerFiles;
}

/**
 * The image of a reference to somewhere on this machine (a layout, an archive, an engine's storage), its layers copied
 * into a directory that is made; undefined where our own look says that there is none. Layers keep
 * their bytes where they have any: those of an engine's storage are compressed anew.
 * Errors: `copy-failed`, `image-invalid`, `image-unsupported`, `store-full`, each naming the reference.
 */
export async function readLocalImage(
  { text }: LocalReference,
  directory: string,
  options: { readonly platform: WantedPlatform; readonly signal?: AbortSignal | undefined },
): Promise<LocalImage | undefined> {
  const blobs = await makeLayout(directory);
  try {
    return await withSourceName(text, async () => {
      if (text.startsWith("oci:")) return readLayoutImage(text, blobs, options);
      if (await isAbsent(text)) return undefined;
      await copyLocal(text, `oci:${directory}:image`, { ...options, what: `read ${text}` });
      const image = await readCopied(directory, blobs);
      return { image, files: await listFiles(image, blobs) };
    });
  } catch (error) {
    throw await blameDisk(error, directory);
  }
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
