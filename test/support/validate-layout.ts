import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { access, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { digestBytes, digestHex, isDigest } from "../../src/oci/digest.ts";
import { ociIndexType, toOciMediaType } from "../../src/oci/media-types.ts";
import type { Descriptor, Digest, Image } from "../../src/oci/model.ts";
import { parseImage, parseIndex, parseManifest } from "../../src/oci/schema.ts";
import { validateIndex as validatePlatforms } from "../../src/oci/validate-index.ts";
import { validateImage } from "../../src/oci/validate.ts";
import type { BlobReader, Bytes, Finding } from "../../src/oci/validate-blob.ts";

export interface LayoutOptions {
  /** Layers may stand in a manifest without their bytes being in the layout. */
  readonly allowMissingLayers?: boolean;
}

/**
 * All that is wrong with an OCI layout: its marker, its index, every image that the index reaches, and
 * the name of every blob against its content. image-spec v1.1, image-layout.md.
 */
export async function validateLayout(
  directory: string,
  options: LayoutOptions = {},
): Promise<readonly Finding[]> {
  return [
    ...(await validateMarker(directory)),
    ...(await validateBlobNames(directory)),
    ...(await validateIndex(directory, await readFile(join(directory, "index.json")), options)),
  ];
}

async function validateMarker(directory: string): Promise<readonly Finding[]> {
  const text = await readFile(join(directory, "oci-layout"), "utf8");
  const marker: unknown = JSON.parse(text);
  const expected = JSON.stringify({ imageLayoutVersion: "1.0.0" });
  if (JSON.stringify(marker) === expected) return [];
  return [{ code: "layout-version", message: text, path: "oci-layout" }];
}

async function validateBlobNames(directory: string): Promise<readonly Finding[]> {
  const names = await readdir(join(directory, "blobs", "sha256"));
  const findings = names.map(async (name): Promise<readonly Finding[]> => {
    const digest = `sha256:${name}`;
    const path = join("blobs", "sha256", name);
    if (!isDigest(digest)) return [{ code: "blob-name", message: "it is no digest", path }];
    const bytes = await readFile(join(directory, path));
    if (digestBytes(bytes) === digest) return [];
    return [{ code: "blob-digest", message: "its content has another digest", path }];
  });
  return (await Promise.all(findings)).flat();
}

async function validateIndex(
  directory: string,
  bytes: Uint8Array,
  options: LayoutOptions,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const entry of parseIndex(bytes).manifests) {
    findings.push(...(await validateEntry(directory, entry, options)));
  }
  return findings;
}

async function validateEntry(
  directory: string,
  entry: Descriptor,
  options: LayoutOptions,
): Promise<readonly Finding[]> {
  const bytes = await readBlob(directory, entry.digest);
  if (bytes === undefined) {
    return [{ code: "blob-missing", message: `${entry.digest} is not there`, path: "index.json" }];
  }
  if (bytes.byteLength !== entry.size) {
    return [{ code: "manifest-size", message: `${entry.size} is not so`, path: "index.json" }];
  }
  const findings =
    toOciMediaType(entry.mediaType) === ociIndexType
      ? await validateNested(directory, bytes, options)
      : await validateOne(directory, bytes, options);
  return findings.map(({ code, message, path }) => ({
    code,
    message,
    path: `${entry.digest}: ${path}`,
  }));
}

async function validateOne(
  directory: string,
  bytes: Uint8Array,
  options: LayoutOptions,
): Promise<readonly Finding[]> {
  const image = await readImage(directory, bytes);
  if (image === undefined) return [missing];
  return validateImage(image, createReader(directory, options));
}

/** An index of several platforms' images. */
async function validateNested(
  directory: string,
  bytes: Uint8Array,
  options: LayoutOptions,
): Promise<readonly Finding[]> {
  const { manifests, annotations = {} } = parseIndex(bytes);
  const images: Image[] = [];
  for (const { digest } of manifests) {
    const manifest = await readBlob(directory, digest);
    const image = manifest && (await readImage(directory, manifest));
    if (image === undefined) return [missing];
    images.push(image);
  }
  const index = { digest: digestBytes(bytes), bytes, manifests, images, annotations };
  return validatePlatforms(index, createReader(directory, options));
}

const missing: Finding = { code: "blob-missing", message: "a document is not there", path: "" };

async function readImage(directory: string, bytes: Uint8Array): Promise<Image | undefined> {
  const configBytes = await readBlob(directory, parseManifest(bytes).config.digest);
  return configBytes && parseImage(bytes, configBytes);
}

function createReader(directory: string, options: LayoutOptions): BlobReader {
  return {
    read: (digest) => openBlob(directory, digest),
    decompressZstd,
    allowMissing: options.allowMissingLayers === true,
  };
}

async function openBlob(directory: string, digest: Digest): Promise<Bytes | undefined> {
  const path = join(directory, "blobs", "sha256", digestHex(digest));
  const present = await access(path).then(
    () => true,
    () => false,
  );
  return present ? createReadStream(path) : undefined;
}

async function readBlob(directory: string, digest: Digest): Promise<Uint8Array | undefined> {
  return readFile(join(directory, "blobs", "sha256", digestHex(digest))).catch(() => undefined);
}

/** By the zstd program: Node 20 cannot. A broken stream is an error, as it is for zlib. */
async function* decompressZstd(bytes: Bytes): Bytes {
  const program = spawn("zstd", ["-dcq"], { stdio: ["pipe", "pipe", "ignore"] });
  const status = new Promise<number | null>((resolve) => program.on("close", resolve));
  program.stdin.on("error", () => {});
  Readable.from(bytes).pipe(program.stdin);
  yield* program.stdout;
  if ((await status) !== 0) throw new Error("zstd cannot decompress it");
}
