import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { ContainerConfig, ImageConfig, Manifest } from "../../src/oci/model.ts";
import type { Finding } from "../../src/oci/validate-blob.ts";
import type { Metadata } from "./project.ts";
import type { Sandbox } from "./sandbox.ts";
import { validateLayout } from "./validate-layout.ts";

export interface CheckedImage {
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  /** The config's `config`, `{}` where it has none. */
  readonly container: ContainerConfig;
  /** Where umoci unpacked its files; "" for an image with zstd layers, which umoci cannot read. */
  readonly files: string;
}

/** The findings in a store that exists; an empty list where nothing was ever written. */
export async function validateStore(store: string): Promise<readonly Finding[]> {
  const index = await readFile(join(store, "index.json")).catch(() => undefined);
  return index === undefined ? [] : validateLayout(store);
}

/**
 * Takes an image through public tools: skopeo copies it by digest into a layout of its own and into
 * a directory, and umoci unpacks it. Its documents must say what the metadata file says.
 */
export async function checkImage(
  sandbox: Sandbox,
  store: string,
  metadata: Metadata,
): Promise<CheckedImage> {
  const directory = await mkdtemp(join(sandbox.directory, "image-"));
  const manifest: Manifest = await readDocument(store, metadata.digest);
  const config: ImageConfig = await readDocument(store, metadata.configDigest);
  expect(manifest.config.digest).toBe(metadata.configDigest);
  expect(
    manifest.layers.map(({ digest, size, mediaType }) => ({ digest, size, mediaType })),
  ).toEqual(metadata.layers.map(({ digest, size, mediaType }) => ({ digest, size, mediaType })));
  expect(config.rootfs.diff_ids).toEqual(metadata.layers.map((layer) => layer.diffId));
  const source = await nameImage(directory, store, metadata.digest);
  await sandbox.exec("skopeo", "copy", "--quiet", source, `dir:${join(directory, "dir")}`);
  await rm(join(directory, "dir"), { recursive: true });
  const files = metadata.layers.some((layer) => layer.mediaType.endsWith("zstd"))
    ? ""
    : await unpackImage(sandbox, directory, source);
  return { manifest, config, container: config.config ?? {}, files };
}

async function readDocument<T>(store: string, digest: string): Promise<T> {
  return JSON.parse(await readFile(join(store, "blobs", digest.replace(":", "/")), "utf8"));
}

/** A layout beside the store that shares its blobs and gives this one image a name. */
async function nameImage(directory: string, store: string, digest: string): Promise<string> {
  const layout = join(directory, "layout");
  await mkdir(layout);
  await symlink(join(store, "blobs"), join(layout, "blobs"));
  await writeFile(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  const bytes = await readFile(join(store, "blobs", digest.replace(":", "/")));
  const entry = {
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest,
    size: bytes.byteLength,
    annotations: { "org.opencontainers.image.ref.name": "image" },
  };
  await writeFile(
    join(layout, "index.json"),
    JSON.stringify({ schemaVersion: 2, manifests: [entry] }),
  );
  return `oci:${layout}:image`;
}

async function unpackImage(sandbox: Sandbox, directory: string, source: string): Promise<string> {
  const files = join(directory, "files");
  // Raw: without a runtime's configuration, for which a USER would have to be in the image.
  await sandbox.exec("umoci", "raw", "unpack", "--image", source.replace(/^oci:/, ""), files);
  return files;
}
