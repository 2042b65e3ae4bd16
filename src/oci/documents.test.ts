import * as fc from "fast-check";
import { expect, test } from "vitest";
import { XbuildError } from "../errors.ts";
import { assembleImage, assembleWithPrevious, type AssembleInput } from "./assemble.ts";
import { mergeConfig } from "./merge-config.ts";
import { digestBytes, digestHex, isDigest } from "./digest.ts";
import { listHistory } from "./history.ts";
import { compressionOf, toOciMediaType } from "./media-types.ts";
import type { ContainerConfig, Digest, Image, Json } from "./model.ts";
import { parseImage, parseIndex } from "./schema.ts";

const gzipType = "application/vnd.oci.image.layer.v1.tar+gzip";

function digestOf(text: string): Digest {
  return digestBytes(new TextEncoder().encode(text));
}

function createEntry(name: string): AssembleInput["entries"][number] {
  const descriptor = { mediaType: gzipType, digest: digestOf(name), size: 10 };
  return { history: { created_by: name }, layer: { descriptor, diffId: digestOf(`${name}.tar`) } };
}

const input: AssembleInput = {
  platform: { architecture: "amd64", os: "linux" },
  config: { Env: ["A=1"], Labels: { b: "2", a: "1" } },
  entries: [createEntry("one"), { history: { created_by: "ENV A=1" } }, createEntry("two")],
  annotations: { z: "1", a: "2" },
  created: "2026-11-20T00:00:00Z",
};

function encode(value: Json): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

test.each([
  ["sha256:" + "a".repeat(64), true],
  ["sha256:" + "A".repeat(64), false],
  ["sha256:" + "a".repeat(63), false],
  ["sha512:" + "a".repeat(64), false],
  ["sha256:" + "a".repeat(64) + "\n", false],
  [undefined, false],
])("isDigest(%j) is %s", (text, expected) => {
  expect(isDigest(text)).toBe(expected);
});

test("a digest is what sha256sum says", () => {
  const hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  expect(digestHex(digestBytes(new Uint8Array()))).toBe(hex);
});

const oci = "application/vnd.oci.image.layer";
const docker = "application/vnd.docker.image.rootfs";
test.each<[string, string, string | undefined]>([
  [`${docker}.diff.tar.gzip`, `${oci}.v1.tar+gzip`, "gzip"],
  [`${docker}.diff.tar.zstd`, `${oci}.v1.tar+zstd`, "zstd"],
  [`${docker}.diff.tar`, `${oci}.v1.tar`, "none"],
  [`${docker}.foreign.diff.tar.gzip`, `${oci}.nondistributable.v1.tar+gzip`, "gzip"],
  [`${oci}.v1.tar+zstd`, `${oci}.v1.tar+zstd`, "zstd"],
  [`${oci}.nondistributable.v1.tar`, `${oci}.nondistributable.v1.tar`, "none"],
  [`${oci}.v1.tar+gzip+encrypted`, `${oci}.v1.tar+gzip+encrypted`, undefined],
  [
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.oci.image.config.v1+json",
    undefined,
  ],
  ["text/plain", "text/plain", undefined],
])("%s is %s, compressed %s", (type, expected, compression) => {
  expect([toOciMediaType(type), compressionOf(type)]).toEqual([expected, compression]);
});

test("an image has exactly these bytes", () => {
  const image = assembleImage(input);
  const [one, two] = ["one", "two"].map(digestOf);
  const [oneTar, twoTar] = ["one.tar", "two.tar"].map(digestOf);
  const created = `"created":"2026-11-20T00:00:00Z"`;
  const config =
    `{${created},"architecture":"amd64","os":"linux","config":{"Env":["A=1"],` +
    `"Labels":{"a":"1","b":"2"}},"rootfs":{"type":"layers","diff_ids":["${oneTar}","${twoTar}"]},` +
    `"history":[{${created},"created_by":"one"},{${created},"created_by":"ENV A=1",` +
    `"empty_layer":true},{${created},"created_by":"two"}]}`;
  const manifest =
    `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":` +
    `{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"${digestOf(config)}",` +
    `"size":${config.length}},"layers":[{"mediaType":"${gzipType}","digest":"${one}","size":10},` +
    `{"mediaType":"${gzipType}","digest":"${two}","size":10}],"annotations":{"a":"2","z":"1"}}`;
  expect(new TextDecoder().decode(image.configBytes)).toBe(config);
  expect(new TextDecoder().decode(image.manifestBytes)).toBe(manifest);
  expect(image.digest).toBe(digestOf(manifest));
  expect(parseImage(image.manifestBytes, image.configBytes)).toEqual(image);
});

function turn(map: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).toReversed());
}

test("the order in which maps were filled does not show", () => {
  const maps = fc.dictionary(fc.string(), fc.string());
  fc.assert(
    fc.property(maps, maps, (labels, annotations) => {
      const one = assembleImage({ ...input, config: { Labels: labels }, annotations });
      const other = { config: { Labels: turn(labels) }, annotations: turn(annotations) };
      expect(assembleImage({ ...input, ...other }).digest).toBe(one.digest);
    }),
  );
});

test("an epoch is every time in the image", () => {
  const old = { ...createEntry("one"), history: { created: "2020-01-01T00:00:00Z" } };
  const { config } = assembleImage({ ...input, entries: [old], epoch: 1 });
  expect([config.created, config.history?.[0]?.created]).toEqual([
    "1970-01-01T00:00:01Z",
    "1970-01-01T00:00:01Z",
  ]);
});

const changes: readonly [string, Partial<AssembleInput>, boolean][] = [
  ["nothing", {}, true],
  ["the time", { created: "2027-01-01T00:00:00Z" }, true],
  ["our key", { annotations: { ...input.annotations, "io.xbuild.key": "k" } }, true],
  ["the config", { config: {} }, false],
  ["an annotation", { annotations: {} }, false],
  ["a layer", { entries: [createEntry("one"), createEntry("three")] }, false],
  ["a name", { entries: [{ ...createEntry("one"), history: { created_by: "x" } }] }, false],
  ["the platform", { platform: { architecture: "arm64", os: "linux" } }, false],
  ["the author", { author: "me" }, false],
  ["the time, fixed by an epoch", { epoch: 5 }, false],
];
test.each(changes)("a change of %s keeps the previous image: %s", (_what, change, kept) => {
  const previous = assembleImage(input);
  expect(assembleWithPrevious({ ...input, ...change }, [previous]) === previous).toBe(kept);
});

test("with an epoch, our key alone still changes nothing", () => {
  const previous = assembleImage({ ...input, epoch: 5 });
  const annotations = { ...input.annotations, "io.xbuild.key": "k" };
  expect(assembleWithPrevious({ ...input, epoch: 5, annotations }, [previous])).toBe(previous);
});

test.each<[string, ContainerConfig, Parameters<typeof mergeConfig>[1], ContainerConfig]>([
  ["a key replaces", { User: "a", Cmd: ["x"] }, { Cmd: ["y"] }, { User: "a", Cmd: ["y"] }],
  ["null removes", { User: "a", Cmd: ["x"] }, { User: null }, { Cmd: ["x"] }],
  [
    "Env merges, in its order",
    { Env: ["A=1", "B=2"] },
    { Env: ["C=3", "A=x=y"] },
    { Env: ["A=x=y", "B=2", "C=3"] },
  ],
  [
    "Labels merge by key",
    { Labels: { a: "1", b: "2" } },
    { Labels: { b: "3" } },
    { Labels: { a: "1", b: "3" } },
  ],
  ["ports merge", { ExposedPorts: { "1/tcp": {} } }, {}, { ExposedPorts: { "1/tcp": {} } }],
  [
    "volumes merge",
    { Volumes: { "/a": {} } },
    { Volumes: { "/b": {} } },
    { Volumes: { "/a": {}, "/b": {} } },
  ],
  [
    "what becomes empty goes",
    { Env: ["A=1"], WorkingDir: "/" },
    { WorkingDir: "" },
    { Env: ["A=1"] },
  ],
])("mergeConfig: %s", (_title, base, patch, expected) => {
  expect(mergeConfig(base, patch)).toEqual(expected);
});

test("mergeConfig: null removes one label", () => {
  const patch: unknown = JSON.parse('{"Labels":{"a":null}}');
  const merged = mergeConfig({ Labels: { a: "1", b: "2" } }, Object(patch));
  expect(merged).toEqual({ Labels: { b: "2" } });
});

test("a history that matches gives its entries, with the layers of those that have one", () => {
  const items = listHistory(assembleImage(input));
  expect(items.map(({ entry, layer }) => [entry.created_by, layer?.descriptor.digest])).toEqual([
    ["one", digestOf("one")],
    ["ENV A=1", undefined],
    ["two", digestOf("two")],
  ]);
});

test.each(["none", "short"] as const)("a history that does not match (%s) gives names", (how) => {
  const image = assembleImage(input);
  const { history = [], ...rest } = image.config;
  const config = how === "none" ? rest : { ...rest, history: history.slice(1) };
  const items = listHistory({ ...image, config });
  const name = `layer-${digestHex(digestOf("one.tar")).slice(0, 12)}`;
  expect(items.length).toBe(2);
  expect(items[0]).toEqual({ entry: { created_by: name }, layer: input.entries[0]?.layer });
});

interface Documents {
  readonly manifest: { [key: string]: Json };
  readonly config: { [key: string]: Json };
}

/** An image's two documents after a change, the manifest naming the config as it is then. */
function changeImage(change: (documents: Documents) => void): () => Image {
  const image = assembleImage(input);
  const documents: Documents = JSON.parse(
    JSON.stringify({ manifest: image.manifest, config: image.config }),
  );
  change(documents);
  const config = encode(documents.config);
  const { manifest } = documents;
  const described = { mediaType: "application/vnd.oci.image.config.v1+json", size: config.length };
  const bytes = encode({ ...manifest, config: { ...described, digest: digestBytes(config) } });
  return () => parseImage(bytes, config);
}

test.each<[string, string, (documents: Documents) => void]>([
  ["image-invalid", "layers: ", ({ manifest }) => (manifest["layers"] = "x")],
  [
    "image-invalid",
    "layers.0.digest: not a sha256 digest",
    ({ manifest }) => (manifest["layers"] = [{ mediaType: gzipType, digest: "sha256:A", size: 1 }]),
  ],
  [
    "image-invalid",
    "1 layers, but 2 diff IDs",
    ({ manifest }) =>
      (manifest["layers"] = [{ mediaType: gzipType, digest: digestOf("a"), size: 1 }]),
  ],
  ["image-invalid", "rootfs", ({ config }) => delete config["rootfs"]],
  ["image-invalid", "config.Env.0", ({ config }) => (config["config"] = { Env: [1] })],
  ["image-unsupported", "schema 1", ({ manifest }) => (manifest["schemaVersion"] = 1)],
  ["image-invalid", "an image and an index", ({ manifest }) => (manifest["manifests"] = [])],
  [
    "image-unsupported",
    "its layer 1 is encrypted",
    ({ manifest }) =>
      (manifest["layers"] = [
        { mediaType: `${gzipType}+encrypted`, digest: digestOf("a"), size: 1 },
      ]),
  ],
])("%s: %s", (code, message, change) => {
  expect(changeImage(change)).toThrowError(
    expect.objectContaining({ code, message: expect.stringContaining(message) }),
  );
});

test("null members count as missing, and unknown ones are let through", () => {
  const parse = changeImage(({ manifest, config }) => {
    manifest["annotations"] = null;
    Object.assign(config, { config: { Env: null, Cmd: ["x"] }, container: "abc", author: null });
  });
  expect(parse().config.config).toEqual({ Cmd: ["x"] });
});

test("bytes that are no JSON, or too many, are refused", () => {
  const { configBytes } = assembleImage(input);
  const bad = [new Uint8Array([0xff]), encode("x".repeat(5 * 1024 * 1024)), encode([])];
  for (const bytes of bad) {
    expect(() => parseImage(bytes, configBytes)).toThrow(XbuildError);
    expect(() => parseIndex(bytes)).toThrow(XbuildError);
  }
});
