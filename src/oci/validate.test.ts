import { expect, test } from "vitest";
import { createTestImage, createTestLayer, type TestLayer } from "../../test/support/images.ts";
import type { Image } from "./model.ts";
import { validateImage } from "./validate.ts";
import type { BlobReader, Bytes } from "./validate-blob.ts";

async function* streamBytes(bytes: Uint8Array): Bytes {
  yield bytes.subarray(0, 3);
  yield bytes.subarray(3);
}

function createReader(layers: readonly TestLayer[], bytes?: Uint8Array): BlobReader {
  return {
    read: async (digest) => {
      const layer = layers.find((item) => item.digest === digest);
      return layer === undefined ? undefined : streamBytes(bytes ?? layer.bytes);
    },
  };
}

async function listCodes(image: Image, reader?: BlobReader): Promise<readonly string[]> {
  return (await validateImage(image, reader)).map((finding) => finding.code);
}

const layers = [await createTestLayer("one", "1"), await createTestLayer("two", "2", "none")];
const image = createTestImage(layers);

test("a right image has no findings, with and without its bytes", async () => {
  expect(await validateImage(image)).toEqual([]);
  expect(await validateImage(image, createReader(layers))).toEqual([]);
});

const [layer] = layers;
const { manifest, config } = image;
test.each<[string, readonly string[], Partial<Image>]>([
  ["digest", ["manifest-digest"], { digest: layer?.digest ?? image.digest }],
  ["media type", ["manifest-type"], { manifest: { ...manifest, mediaType: "x" } }],
  [
    "config",
    ["config-size"],
    { manifest: { ...manifest, config: { ...manifest.config, size: 1 } } },
  ],
  [
    "layers",
    ["diff-id-count", "history-count"],
    { manifest: { ...manifest, layers: manifest.layers.slice(1) } },
  ],
  ["time", ["time-format"], { config: { ...config, created: "yesterday" } }],
  ["bytes", ["config-schema", "config-digest", "config-size"], { configBytes: new Uint8Array(3) }],
])("a wrong %s gives %j", async (_what, codes, change) => {
  expect(await listCodes({ ...image, ...change })).toEqual(codes);
});

test("Docker's types are a finding in an image that should be OCI's", async () => {
  const type = "application/vnd.docker.image.rootfs.diff.tar.gzip";
  const docker = createTestImage(layers);
  const wrong = docker.manifest.layers.map(({ digest, size }) => ({
    mediaType: type,
    digest,
    size,
  }));
  const changed = { ...docker, manifest: { ...docker.manifest, layers: wrong } };
  expect(await listCodes(changed)).toEqual(["layer-type", "layer-type"]);
});

test("each layer's bytes are checked: missing, other, longer, of another compression", async () => {
  const one = layers.slice(0, 1);
  const single = createTestImage(one);
  const bytes = one[0]?.bytes ?? new Uint8Array();
  expect(await listCodes(single, createReader([]))).toEqual(["blob-missing"]);
  expect(await listCodes(single, { ...createReader([]), allowMissing: true })).toEqual([]);
  const longer = Buffer.concat([bytes, Buffer.from([0])]);
  expect(await listCodes(single, createReader(one, longer))).toEqual(["blob-digest", "blob-size"]);
  const plain = Buffer.alloc(bytes.byteLength);
  const codes = await listCodes(single, createReader(one, plain));
  expect(codes).toEqual(["blob-digest", "blob-compression"]);
});

test("a wrong diff ID is found by decompressing", async () => {
  const [first, second] = layers;
  const swapped = [{ ...first, diffId: second?.diffId }, second] as readonly TestLayer[];
  expect(await listCodes(createTestImage(swapped), createReader(layers))).toEqual(["diff-id"]);
});

test("a stream that ends too early is found, and zstd asks for its program", async () => {
  const [first] = layers;
  if (first === undefined) throw new Error("no layer");
  const { digestBytes } = await import("./digest.ts");
  const cut = first.bytes.subarray(0, -6);
  const broken = [{ ...first, bytes: cut, digest: digestBytes(cut) }];
  expect(await listCodes(createTestImage(broken), createReader(broken))).toEqual(["blob-broken"]);
  const bytes = Buffer.from("28b52ffd0000000000", "hex");
  const mediaType = "application/vnd.oci.image.layer.v1.tar+zstd";
  const zstd = [{ ...first, bytes, digest: digestBytes(bytes), mediaType }];
  expect(await listCodes(createTestImage(zstd), createReader(zstd))).toEqual(["blob-unreadable"]);
});
