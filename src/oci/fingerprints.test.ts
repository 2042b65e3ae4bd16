import { expect, test } from "vitest";
import { fingerprintAnnotation, fingerprintsAnnotation } from "./annotations.ts";
import { dropFingerprints, packFingerprints, unpackFingerprints } from "./fingerprints.ts";
import type { Annotations, Descriptor, Manifest } from "./model.ts";

const config: Descriptor = { mediaType: "c", digest: `sha256:${"c".repeat(64)}`, size: 1 };

function makeLayer(annotations?: Annotations): Descriptor {
  const layer = { mediaType: "l", digest: `sha256:${"d".repeat(64)}`, size: 2 } as const;
  return annotations === undefined ? layer : { ...layer, annotations };
}

function makeManifest(layers: readonly Descriptor[], annotations: Annotations): Manifest {
  return { schemaVersion: 2, mediaType: "m", config, layers, annotations };
}

const first = { [fingerprintAnnotation]: `v1:${"ab".repeat(16)}` };
const second = { [fingerprintAnnotation]: `v1:${"01".repeat(16)}` };

test("what is packed is unpacked, with layers that have none between them", () => {
  const layers = [makeLayer(first), makeLayer(), makeLayer({ ...second, other: "stays" })];
  const packed = packFingerprints(layers);
  expect(packed.layers).toEqual([makeLayer(), makeLayer(), makeLayer({ other: "stays" })]);
  expect(packed.annotations[fingerprintsAnnotation]).toBe(
    `v1:${Buffer.from("ab".repeat(16) + "00".repeat(16) + "01".repeat(16), "hex").toString("base64url")}`,
  );
  expect(unpackFingerprints(makeManifest(packed.layers, packed.annotations))).toEqual(layers);
});

test("nothing to pack: no annotation", () => {
  const layers = [makeLayer(), makeLayer({ other: "x" })];
  expect(packFingerprints(layers)).toEqual({ layers, annotations: {} });
});

test.each([
  ["of another form", { [fingerprintAnnotation]: "v9:x" }],
  ["too long", { [fingerprintAnnotation]: `v1:${"ab".repeat(32)}` }],
])("a fingerprint %s stays with its layer", (_, annotations) => {
  const layers = [makeLayer(annotations)];
  expect(packFingerprints(layers)).toEqual({ layers, annotations: {} });
});

test.each([
  ["for another number of layers", `v1:${Buffer.alloc(48, 1).toString("base64url")}`],
  ["of another version", `v2:${Buffer.alloc(32, 1).toString("base64url")}`],
  ["that is none", "x"],
])("an annotation %s counts for nothing", (_, text) => {
  const layers = [makeLayer(), makeLayer()];
  expect(unpackFingerprints(makeManifest(layers, { [fingerprintsAnnotation]: text }))).toBe(layers);
});

test("they are dropped where the layers are not that manifest's any more", () => {
  expect(dropFingerprints({ [fingerprintsAnnotation]: "v1:x", other: "y" })).toEqual({
    other: "y",
  });
  expect(dropFingerprints()).toEqual({});
});
