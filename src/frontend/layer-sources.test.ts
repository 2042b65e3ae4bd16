import { fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { OpSchema } from "./gateway/messages/llb_pb.ts";
import { chainLayers, type LayeredImage, type LayerSource, stackLayers } from "./layer-sources.ts";
import { fromFiles } from "./llb/operations.ts";
import type { State } from "./llb/state.ts";

const image: LayeredImage = {
  identifier: "docker-image://a@sha256:b",
  attrs: {},
  platform: undefined,
};
const archive = fromFiles([{ path: "/x.tar", mode: 0o644, data: Buffer.from("") }], "archives");
const own: LayerSource = {
  kind: "own",
  layer: { from: archive, path: "/x.tar", removed: [], name: "new" },
};
const kept = (...indexes: readonly number[]): readonly LayerSource[] =>
  indexes.map((index) => ({ kind: "image", image, index }));

/** The kinds of a graph's operations, with the limits of images, in order. */
function describe({ graph }: State): readonly string[] {
  return [...graph.values()].map(({ bytes }) => {
    const { op } = fromBinary(OpSchema, bytes);
    const limit = op.case === "source" ? ` ${op.value.attrs["image.layerlimit"]}` : "";
    return `${op.case}${limit}`;
  });
}

test.each([
  ["all of an image", kept(0, 1, 2), ["source 3"]],
  [
    "one replaced",
    [...kept(0, 1), own, ...kept(3, 4)],
    ["source 2", "file", "file", "source 3", "source 4", "diff", "source 5", "diff", "merge"],
  ],
  ["in another order", kept(1, 0), ["source 1", "source 2", "diff", "merge"]],
  ["one twice", kept(0, 0), ["source 1", "merge"]],
])("%s: the lowest together, each other by itself", (_, layers, operations) => {
  expect(describe(stackLayers(layers, "image"))).toEqual(operations);
});

test("without merges layers stand on each other, from an image's lowest on", () => {
  expect(describe(chainLayers([...kept(0, 1), own, own]))).toEqual([
    "source 2",
    "file",
    "file",
    "file",
  ]);
  expect(() => chainLayers([own, ...kept(0)])).toThrow(
    "cannot put layers of several images together",
  );
});
