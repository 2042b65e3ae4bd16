import { expect, test } from "vitest";
import { createTestImage, createTestLayer } from "../../test/support/images.ts";
import { assembleImage } from "./assemble.ts";
import { assembleIndex, mergeIndex } from "./assemble-index.ts";
import { digestBytes } from "./digest.ts";
import type { Image, ImageIndex, Platform } from "./model.ts";
import { parseIndex } from "./schema.ts";
import { validateIndex } from "./validate-index.ts";

async function createImage(platform: Platform, content = "x"): Promise<Image> {
  const image = createTestImage([await createTestLayer(content, content)]);
  const [descriptor] = image.manifest.layers;
  const [diffId] = image.config.rootfs.diff_ids;
  if (descriptor === undefined || diffId === undefined) throw new Error("it has a layer");
  return assembleImage({
    platform,
    config: {},
    entries: [{ history: { created_by: content }, layer: { descriptor, diffId } }],
    annotations: {},
    created: "2026-11-20T00:00:00Z",
  });
}

const linux = (architecture: string, variant?: string): Platform => ({
  os: "linux",
  architecture,
  ...(variant === undefined ? {} : { variant }),
});

test("an index names its images in the order given, each with its platform, in the bytes that Go writes", async () => {
  const arm = await createImage({ ...linux("arm", "v7"), "os.version": "6" });
  const amd64 = await createImage(linux("amd64"));
  const index = assembleIndex([arm, amd64], { b: "2", a: "1" });
  const type = "application/vnd.oci.image.manifest.v1+json";
  const text =
    `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[` +
    `{"mediaType":"${type}","digest":"${arm.digest}","size":${arm.manifestBytes.byteLength},` +
    `"platform":{"architecture":"arm","os":"linux","os.version":"6","variant":"v7"}},` +
    `{"mediaType":"${type}","digest":"${amd64.digest}","size":${amd64.manifestBytes.byteLength},` +
    `"platform":{"architecture":"amd64","os":"linux"}}],"annotations":{"a":"1","b":"2"}}`;
  expect(Buffer.from(index.bytes).toString()).toBe(text);
  expect(index.digest).toBe(digestBytes(index.bytes));
  expect(parseIndex(index.bytes).manifests).toEqual(index.manifests);
  expect(await validateIndex(index)).toEqual([]);
  expect(assembleIndex([arm, amd64], { a: "1", b: "2" }).digest).toBe(index.digest);
  expect(assembleIndex([amd64, arm], { a: "1", b: "2" }).digest).not.toBe(index.digest);
  expect(Buffer.from(assembleIndex([amd64]).bytes).toString()).not.toContain("annotations");
});

test("an image of a platform takes its predecessor's place, another one comes behind", async () => {
  const [amd64, arm64] = [await createImage(linux("amd64")), await createImage(linux("arm64"))];
  const index = assembleIndex([amd64, arm64], { a: "1" });
  expect(mergeIndex(index, [arm64])).toBe(index);
  expect(mergeIndex(undefined, [amd64, arm64]).digest).toBe(assembleIndex([amd64, arm64]).digest);
  const other = await createImage(linux("amd64"), "other");
  const s390x = await createImage(linux("s390x"));
  const merged = mergeIndex(index, [s390x, other]);
  expect(merged.images).toEqual([other, arm64, s390x]);
  expect(merged.annotations).toEqual({ a: "1" });
});

const faults: readonly (readonly [string, (index: ImageIndex, other: Image) => ImageIndex])[] = [
  ["index-digest", (index, other) => ({ ...index, digest: other.digest })],
  ["index-schema", (index) => ({ ...index, bytes: Buffer.from("{}") })],
  ["index-manifests", (index) => ({ ...index, manifests: index.manifests.toReversed() })],
  ["index-count", (index) => ({ ...index, images: index.images.slice(1) })],
  ["entry-digest", (index, other) => ({ ...index, images: [other, ...index.images.slice(1)] })],
  ["platform-twice", (_, other) => assembleIndex([other, other])],
  ["entry-platform", (index) => ({ ...index, images: index.images.toReversed() })],
];

test.each(faults)("a fault is found: %s", async (code, change) => {
  const images = await Promise.all(["amd64", "arm64"].map((one) => createImage(linux(one))));
  const other = await createImage(linux("amd64"), "other");
  const findings = await validateIndex(change(assembleIndex(images), other));
  expect(findings.map((one) => one.code)).toContain(code);
});

test("a platform that is missing or of another type is found", async () => {
  const index = assembleIndex([await createImage(linux("amd64"))]);
  const document: { manifests: { platform?: object }[]; mediaType?: string } = JSON.parse(
    Buffer.from(index.bytes).toString(),
  );
  delete document.manifests[0]?.platform;
  document.mediaType = "application/vnd.docker.distribution.manifest.list.v2+json";
  const bytes = Buffer.from(JSON.stringify(document));
  const { manifests } = parseIndex(bytes);
  const findings = await validateIndex({ ...index, bytes, digest: digestBytes(bytes), manifests });
  const codes = findings.map((one) => one.code);
  expect(codes).toEqual(expect.arrayContaining(["index-type", "platform-missing"]));
});
