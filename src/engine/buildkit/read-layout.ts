import { constants } from "node:fs";
import { type FileHandle, lstat, open } from "node:fs/promises";
import { join } from "node:path";
import { XbuildError } from "../../errors.ts";
import {
  type Digest,
  digestBytes,
  digestHex,
  type ImageConfig,
  isDigest,
  isJsonObject,
  isSamePlatform,
  type Json,
  JsonProblem,
  maxDocumentSize,
  parseConfig,
  parsePlatform,
  readJson,
  renderPlatform,
} from "../../oci/oci.ts";
import { systemCode } from "../../system/errno.ts";

/** An image's layout, as far as it is read. */
export interface MadeLayout {
  readonly manifest: Digest;
  readonly config: Uint8Array;
}

/**
 * Of an OCI layout with one image, which a builder has filled as it likes: documents are plain files of a bounded size, and
 * the bytes that their digests say; layers are plain files. image-spec v1.1, image-layout.md. Errors: `engine-failed`
 * @param platform `os/arch[/variant]`: what the image must be for, where that is known
 */
export async function readLayout(directory: string, platform?: string): Promise<MadeLayout> {
  try {
    for (const place of ["blobs", "blobs/sha256"]) await assertDirectory(directory, place);
    const index = parse(await readPlain(directory, "index.json"), "index.json");
    const [manifest] = listDigests(index, "manifests");
    if (manifest === undefined) throw refuse("it has no image");
    const document = await readDocument(directory, manifest);
    for (const layer of listDigests(document, "layers"))
      await (await openPlain(directory, nameBlob(layer))).close();
    const [digest] = listDigests(document, "config");
    if (digest === undefined) throw refuse("its image has no config");
    const config = completeConfig(await readBlob(directory, digest), nameBlob(digest));
    if (platform !== undefined) assertPlatform(parseConfig(config), platform);
    else parseConfig(config);
    return { manifest, config };
  } catch (error) {
    if (error instanceof XbuildError) throw error.code === "engine-failed" ? error : restate(error);
    if (systemCode(error) === undefined) throw error;
    throw refuse(`it cannot be read (${systemCode(error)})`, error);
  }
}

function restate(error: XbuildError): XbuildError {
  return refuse(error.message.replace(/^the image is broken: /, ""), error);
}

function refuse(why: string, cause?: unknown): XbuildError {
  return new XbuildError("engine-failed", `what the builder sent is no image: ${why}`, {
    hint: "build again, with another builder if that does not help",
    cause,
  });
}

function nameBlob(digest: Digest): string {
  return `blobs/sha256/${digestHex(digest)}`;
}

async function readDocument(directory: string, digest: Digest): Promise<Json> {
  return parse(await readBlob(directory, digest), nameBlob(digest));
}

async function readBlob(directory: string, digest: Digest): Promise<Buffer> {
  const bytes = await readPlain(directory, nameBlob(digest));
  if (digestBytes(bytes) !== digest) throw refuse(`${nameBlob(digest)} has another digest`);
  return bytes;
}

async function readPlain(directory: string, name: string): Promise<Buffer> {
  const file = await openPlain(directory, name);
  try {
    const { size } = await file.stat();
    if (size > maxDocumentSize)
      throw refuse(`${name} has ${size} bytes, of ${maxDocumentSize} that a document may have`);
    // It may grow while it is read.
    const bytes = Buffer.alloc(size);
    const { bytesRead } = await file.read(bytes, 0, size, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** What is no file is neither waited for nor read, and no link is followed. */
async function openPlain(directory: string, name: string): Promise<FileHandle> {
  const path = join(directory, name);
  const isFile = (await lstat(path)).isFile();
  if (!isFile) throw refuse(`${name} is not a plain file`);
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw refuse(`${name} is not a plain file`);
}

async function assertDirectory(directory: string, name: string): Promise<void> {
  if (!(await lstat(join(directory, name))).isDirectory())
    throw refuse(`${name} is not a directory`);
}

function parse(bytes: Buffer, name: string): Json {
  try {
    return readJson(bytes);
  } catch (cause) {
    if (cause instanceof JsonProblem)
      throw refuse(`${name} is not usable JSON: ${cause.message}`, cause);
    throw cause;
  }
}

/** Digests in the descriptor, or the descriptors, that a document has under a key. */
function listDigests(document: Json, key: "manifests" | "config" | "layers"): readonly Digest[] {
  const value = isJsonObject(document) ? document[key] : undefined;
  // That of an image without layers has no list of them, which is not as the specification has it.
  return [value ?? []].flat().map((one) => {
    const digest = isJsonObject(one) ? one["digest"] : undefined;
    if (typeof digest === "string" && isDigest(digest)) return digest;
    throw refuse(`"${key}" has something without a digest`);
  });
}

/** Of an image without layers the builder's config has no list of them, either. */
function completeConfig(bytes: Buffer, name: string): Uint8Array {
  const config = parse(bytes, name);
  const rootfs = isJsonObject(config) ? config["rootfs"] : undefined;
  if (!isJsonObject(config) || !isJsonObject(rootfs) || rootfs["diff_ids"] !== null) return bytes;
  return Buffer.from(JSON.stringify({ ...config, rootfs: { ...rootfs, diff_ids: [] } }));
}

/** One that says no variant may be of any: so says many a base. */
function assertPlatform(config: ImageConfig, asked: string): void {
  const { os, architecture, variant } = config;
  const wanted = parsePlatform(asked, { os, architecture });
  if (wanted === undefined) return;
  const made = { os, architecture, ...(variant ? { variant } : {}) };
  const compared = variant ? wanted : { os: wanted.os, architecture: wanted.architecture };
  if (isSamePlatform(made, compared)) return;
  throw refuse(`it is for ${renderPlatform(made)}, but ${asked} was asked for`);
}
