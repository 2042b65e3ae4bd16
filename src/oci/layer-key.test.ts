import { expect, test } from "vitest";
import { listHistory } from "./history.ts";
import { layersKey, packContents, readCanonical } from "./layer-key.ts";
import { readFingerprint } from "./layer-fingerprint.ts";
import type { Digest, ImageConfig, Manifest } from "./model.ts";

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;
const one = { fingerprint: "ab".repeat(16), canonical: digest("1") };
const two = { fingerprint: "01".repeat(16), canonical: digest("2") };

function image(value: unknown, count = 3): { manifest: Manifest; config: ImageConfig } {
  const ids = ["a", "b", "c"].slice(0, count).map(digest);
  const layers = ids.map((id) => ({
    mediaType: "application/vnd.oci.image.layer.v1.tar",
    digest: id,
    size: 1,
  }));
  const config = { mediaType: "c", digest: digest("f"), size: 1 };
  const rootfs = { type: "layers", diff_ids: ids } as const;
  return {
    manifest: { schemaVersion: 2, mediaType: "m", config, layers },
    config: { architecture: "amd64", os: "linux", rootfs, [layersKey]: value } as ImageConfig,
  };
}

function read(value: unknown, count?: number): readonly unknown[] {
  return listHistory(image(value, count)).map(({ layer }) => [
    layer && readFingerprint(layer.descriptor),
    readCanonical(layer?.descriptor.annotations),
  ]);
}

test("what the config says of layers, one of which nothing is known", () => {
  expect(read(packContents([one, undefined, two]))).toEqual([
    [one.fingerprint, one.canonical],
    [undefined, undefined],
    [two.fingerprint, two.canonical],
  ]);
});

test.each([
  ["other layers", packContents([one, two])],
  ["another version", packContents([one, one, two]).replace("v1:", "v2:")],
  ["no text", 7],
  ["nothing", undefined],
])("%s: nothing is known", (_, value) => {
  expect(read(value)).toEqual([1, 2, 3].map(() => [undefined, undefined]));
});
