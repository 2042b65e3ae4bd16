import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { pack, type Pack } from "tar-stream";
import { assembleImage, type AssembleEntry } from "../../src/oci/assemble.ts";
import { digestBytes } from "../../src/oci/digest.ts";
import type { ContainerConfig, Digest, Image } from "../../src/oci/model.ts";
import { writeBlob, type StagedBlob } from "../../src/store/blobs/write-blob.ts";

export interface TestLayer {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  readonly diffId: Digest;
  readonly mediaType: string;
}

const testTime = "2026-11-20T00:00:00Z";

/** A layer with one file of this content, gzipped unless told otherwise. */
export async function createTestLayer(
  name: string,
  content: string,
  compression: "gzip" | "none" = "gzip",
): Promise<TestLayer> {
  const archive = pack();
  archive.entry({ name: `${name}.txt`, mtime: new Date(testTime), mode: 0o644 }, content);
  archive.finalize();
  const tar = Buffer.concat(await collect(archive));
  const bytes = compression === "gzip" ? gzipSync(tar) : tar;
  const suffix = compression === "gzip" ? "+gzip" : "";
  return {
    name,
    bytes,
    digest: digestBytes(bytes),
    diffId: digestBytes(tar),
    mediaType: `application/vnd.oci.image.layer.v1.tar${suffix}`,
  };
}

/** An image of these layers, lowest first. */
export function createTestImage(
  layers: readonly TestLayer[],
  config: ContainerConfig = {},
  architecture = "amd64",
): Image {
  return assembleImage({
    platform: { architecture, os: "linux" },
    config,
    entries: layers.map(createEntry),
    annotations: {},
    created: testTime,
  });
}

/** The layers as files in a directory, as the packer leaves them. */
export async function stageTestLayers(
  layers: readonly TestLayer[],
  directory: string,
): Promise<readonly StagedBlob[]> {
  await mkdir(directory, { recursive: true });
  return Promise.all(layers.map(({ bytes }) => writeBlob(directory, bytes)));
}

/** A directory that is gone when the test is over. */
export async function withTemporaryDirectory<T>(
  action: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "xbuild-test-"));
  try {
    return await action(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function createEntry({ name, bytes, digest, diffId, mediaType }: TestLayer): AssembleEntry {
  const descriptor = { mediaType, digest, size: bytes.byteLength };
  return { history: { created_by: name }, layer: { descriptor, diffId } };
}

function collect(stream: Pack): Promise<readonly Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  return new Promise((resolve, reject) => {
    stream.on("data", (chunk) => {
      if (chunk instanceof Uint8Array) chunks.push(chunk);
    });
    stream.on("error", reject);
    stream.on("end", () => resolve(chunks));
  });
}
