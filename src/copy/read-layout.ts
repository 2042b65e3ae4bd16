import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import {
  type Descriptor,
  type Digest,
  digestHex,
  type Image,
  isExternal,
  type LayerFiles,
  maxDocumentSize,
  parseImage,
  parseIndex,
  parseManifest,
  refNameAnnotation,
  type WantedPlatform,
} from "../oci/oci.ts";
import { ifPresent } from "../system/errno.ts";
import { createInvalid } from "./failures.ts";
import { assertDocument, findEntry } from "./manifests.ts";

interface ReadOptions {
  readonly platform: WantedPlatform;
  readonly signal?: AbortSignal | undefined;
}

interface LayoutImage {
  readonly image: Image;
  readonly files: LayerFiles;
}

/**
 * The image that `oci:DIR[:NAME]` names, its layers copied into `blobs`, each checked. Docker's manifests are read, too:
 * their media types are those of the same bytes. image-spec v1.1, image-layout.md.
 * @returns undefined where there is no layout, or none of that name in it. Errors: `image-invalid`, `image-unsupported`
 */
export async function readLayoutImage(
  text: string,
  blobs: string,
  { platform, signal }: ReadOptions,
): Promise<LayoutImage | undefined> {
  const found = await findImage(text, platform);
  if (found === undefined) return undefined;
  const { directory, image } = found;
  return { image, files: await copyLayers(directory, image, { blobs, signal }) };
}

/** The same, and no layer is read. */
export async function readLayoutDocuments(
  text: string,
  platform: WantedPlatform,
): Promise<Image | undefined> {
  return (await findImage(text, platform))?.image;
}

/** The digest of such an image's config. */
export async function readLayoutId(
  text: string,
  platform: WantedPlatform,
): Promise<Digest | undefined> {
  return (await findImage(text, platform))?.image.manifest.config.digest;
}

async function findImage(
  text: string,
  platform: WantedPlatform,
): Promise<{ readonly directory: string; readonly image: Image } | undefined> {
  const place = await findLayout(text.slice("oci:".length));
  if (place === undefined) return undefined;
  const { directory } = place;
  const root = findNamed(parseIndex(place.index).manifests, place.name);
  if (root === undefined) return undefined;
  const first = await readDocument(directory, root.digest);
  const entry = await findEntry(first, platform, (digest) => readDocument(directory, digest));
  const manifestBytes = entry === undefined ? first : await readDocument(directory, entry);
  const { config } = parseManifest(manifestBytes);
  return {
    directory,
    image: parseImage(manifestBytes, await readDocument(directory, config.digest)),
  };
}

interface LayoutPlace {
  readonly directory: string;
  readonly name: string | undefined;
  readonly index: Buffer;
}

/**
 * A path ends at its first colon (containers/image, `SplitPathAndImage`); where there is nothing, at a later one: it may
 * have colons itself.
 */
async function findLayout(rest: string): Promise<LayoutPlace | undefined> {
  const ends = [...rest.matchAll(/:/g)].map(({ index }) => index);
  for (const end of [...ends, rest.length]) {
    const directory = rest.slice(0, end);
    const index = await ifPresent(readBounded(join(directory, "index.json")));
    const name = rest.slice(end + 1);
    if (index !== undefined) return { directory, index, name: name === "" ? undefined : name };
  }
  return undefined;
}

/** Without a name it is the only one there is. Errors: `image-invalid` where there are several. */
function findNamed(
  entries: readonly Descriptor[],
  name: string | undefined,
): Descriptor | undefined {
  if (name !== undefined)
    return entries.find((one) => one.annotations?.[refNameAnnotation] === name);
  if (entries.length <= 1) return entries[0];
  throw createInvalid(`the layout has ${entries.length} images, and the reference names none`);
}

async function readDocument(directory: string, digest: Digest): Promise<Uint8Array> {
  const bytes = await ifPresent(readBounded(blobPath(directory, digest)));
  if (bytes === undefined) throw createInvalid(`the layout does not have ${digest}`);
  assertDocument(bytes, digest);
  return bytes;
}

async function readBounded(path: string): Promise<Buffer> {
  const { file, size } = await openFile(path);
  try {
    if (size > maxDocumentSize) throw createInvalid(`${path} has ${size} bytes`);
    // It may grow while it is read.
    const bytes = Buffer.alloc(size);
    const { bytesRead } = await file.read(bytes, 0, size, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** What is no file is never waited for, nor read. */
async function openFile(
  path: string,
): Promise<{ readonly file: FileHandle; readonly size: number }> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  const status = await file.stat();
  if (status.isFile()) return { file, size: status.size };
  await file.close();
  throw createInvalid(`${path} is not a file`);
}

function blobPath(directory: string, digest: Digest): string {
  return join(directory, "blobs", "sha256", digestHex(digest));
}

interface CopyTarget {
  readonly blobs: string;
  readonly signal: AbortSignal | undefined;
}

/** Who owns the layout may change it at any time. */
async function copyLayers(
  directory: string,
  { manifest }: Image,
  { blobs, signal }: CopyTarget,
): Promise<LayerFiles> {
  const files = new Map<Digest, string>();
  for (const layer of manifest.layers) {
    if (files.has(layer.digest)) continue;
    signal?.throwIfAborted();
    const path = join(blobs, digestHex(layer.digest));
    const actual = await ifPresent(copyHashed(blobPath(directory, layer.digest), path));
    if (actual === layer.digest) files.set(layer.digest, path);
    else if (actual !== undefined) {
      throw createInvalid(
        `the layout's blob of the layer ${layer.digest} has the digest ${actual}`,
      );
    } else if (!isExternal(layer)) {
      throw createInvalid(`the layout does not have the layer ${layer.digest}`);
    }
  }
  return files;
}

async function copyHashed(source: string, target: string): Promise<string> {
  const hash = createHash("sha256");
  const { file: read } = await openFile(source);
  const written = await open(target, "w", 0o600);
  try {
    const chunks: AsyncIterable<Buffer> = read.createReadStream({ highWaterMark: 1024 * 1024 });
    for await (const chunk of chunks) {
      hash.update(chunk);
      await written.writeFile(chunk);
    }
  } finally {
    await Promise.all([read.close(), written.close()]);
  }
  return `sha256:${hash.digest("hex")}`;
}
