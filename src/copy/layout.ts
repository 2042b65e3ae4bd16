import { mkdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Descriptor,
  type Digest,
  digestHex,
  isDigest,
  isJsonObject,
  ociLayerType,
} from "../oci/oci.ts";
import { systemCode } from "../system/errno.ts";
import { createCopyError, createFull, createInvalid } from "./failures.ts";

/** Makes an OCI layout that has nothing yet. @returns the directory of its blobs. image-spec v1.1, image-layout.md */
export async function makeLayout(directory: string): Promise<string> {
  const blobs = join(directory, "blobs", "sha256");
  await mkdir(blobs, { recursive: true });
  await writeFile(join(directory, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  return blobs;
}

const width = 64;

/**
 * Files of these layers' sizes without content, which take no room: skopeo takes what a layout has for granted and
 * does not move it. Errors: `image-invalid` for a size that no file can have, or two of one layer; `store-full`.
 */
export async function writePlaceholders(
  blobs: string,
  layers: readonly Descriptor[],
  signal?: AbortSignal,
): Promise<void> {
  const sizes = listSizes(layers);
  // A manifest may name tens of thousands.
  for (let at = 0; at < sizes.length; at += width) {
    signal?.throwIfAborted();
    await Promise.all(
      sizes.slice(at, at + width).map(([digest, size]) => writePlaceholder(blobs, digest, size)),
    );
  }
}

/** The same for layers of an engine's storage, which gives them uncompressed: skopeo looks for their names alone. */
export async function writeLayerPlaceholders(
  blobs: string,
  diffIds: readonly Digest[],
): Promise<void> {
  const layers = diffIds.map((digest) => ({ mediaType: ociLayerType, digest, size: 0 }));
  await writePlaceholders(blobs, layers);
}

function listSizes(layers: readonly Descriptor[]): readonly (readonly [Digest, number])[] {
  const sizes = new Map<Digest, number>();
  for (const { digest, size } of layers) {
    const known = sizes.get(digest) ?? size;
    if (known !== size)
      throw createInvalid(`its layer ${digest} is given two sizes, ${known} and ${size} bytes`);
    sizes.set(digest, size);
  }
  return [...sizes];
}

async function writePlaceholder(blobs: string, digest: Digest, size: number): Promise<void> {
  const path = join(blobs, digestHex(digest));
  try {
    await writeFile(path, "");
    await truncate(path, size);
  } catch (cause) {
    const code = systemCode(cause);
    if (code === "EFBIG" || code === "EINVAL") {
      throw createInvalid(`its layer ${digest} is given ${size} bytes, more than a file can have`);
    }
    if (code !== "ENOSPC" && code !== "EDQUOT") throw cause;
    throw createFull(`the layout ${blobs}`, cause);
  }
}

/** The digest of the one manifest in a layout that skopeo has just written. Errors: `copy-failed`. */
export async function readManifestDigest(directory: string): Promise<Digest> {
  const index: unknown = JSON.parse(await readFile(join(directory, "index.json"), "utf8"));
  const entries =
    isJsonObject(index) && Array.isArray(index["manifests"]) ? index["manifests"] : [];
  const [entry] = entries;
  const digest = isJsonObject(entry) ? entry["digest"] : undefined;
  if (isDigest(digest)) return digest;
  throw createCopyError(`read the image in ${directory}`, "skopeo wrote none");
}
