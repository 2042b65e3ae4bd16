import { describe, expect, test } from "vitest";
import { type Files, makeBases, makeKnown } from "../../test/support/base-images.ts";
import { arrangeKnown } from "./arrange-bases.ts";

/** What stands, by name; `x y, z` are two images. */
function arrange(text: string, layers: Readonly<Record<string, Files>> = {}): string {
  const { entries } = arrangeKnown(makeBases(text), [], makeKnown(layers));
  return entries
    .map((entry) => (entry.kind === "layer" ? entry.layer.history : entry.history).created_by)
    .join(" ");
}

describe("a common leading run stands once", () => {
  test.each([
    ["b1 b2 x, b1 b2 y", "b1 b2 x y"],
    ["b x, c y", "b x c y"],
    ["b x, b x", "b x"],
    ["b, b x", "b x"],
    ["b x, b", "b x"],
    ["b x, b y, b y z", "b x y z"],
    ["b x, b y, b w, b y z", "b x y w z"],
    ["b x, b y, b x z", "b x y z"],
    ["b x, c y, c z", "b x c y z"],
    // Only what is leading.
    ["b x, y x", "b x y x"],
    ["b x, x y", "b x y"],
    ["x b, y b", "x b y b"],
    // One image is as it is.
    ["x x y x", "x x y x"],
    ["b x, b x x", "b x x"],
  ])("%s: %s", (bases, expected) => {
    expect(arrange(bases)).toBe(expected);
  });

  test.each([
    ["b #cmd x, b #cmd y", "b #cmd x y"],
    ["b #cmd x, b #env y", "b #cmd x #env y"],
    ["b #cmd x, b #cmd #env y #end", "b #cmd x #env y #end"],
    ["#first b x, #second b y", "#first b x y"],
    ["#same x, #same y", "#same x #same y"],
    ["b #cmd, b", "b #cmd"],
  ])("with its entries of the history: %s: %s", (bases, expected) => {
    expect(arrange(bases)).toBe(expected);
  });

  test("with the descriptors of the first image", () => {
    const { entries, layerCount, lists } = arrangeKnown(makeBases("b x, b y"), [], new Map());
    expect(entries.length).toBe(3);
    expect(layerCount).toBe(3);
    expect(lists.map((list) => list.length)).toEqual([3, 3, 4]);
  });
});

describe("another repeated layer", () => {
  const a = { a: "1" };
  const cases: Readonly<
    Record<string, readonly [bases: string, Readonly<Record<string, Files>>, string]>
  > = {
    "stays where nothing is known": ["x, y, x z", {}, "x y z"],
    "stays behind one that is not known": ["x, y x", { x: a }, "x y x"],
    "stays if it is not known": ["x, y x", { y: a }, "x y x"],
    "goes where another one has other files": ["x, y x", { x: a, y: { b: "1" } }, "x y"],
    "stays where another one has its file": ["x, y x", { x: a, y: { a: "2" } }, "x y x"],
    "stays where another one has its very file": ["x, y x", { x: a, y: a }, "x y x"],
    "stays where its file is removed": ["x, y x", { x: a, y: { ".wh.a": "" } }, "x y x"],
    "stays where its directory is removed": [
      "x, y x",
      { x: { "d/a": "1" }, y: { ".wh.d": "" } },
      "x y x",
    ],
    "stays where its directory is opaque": [
      "x, y x",
      { x: { "d/a": "1" }, y: { "d/.wh..wh..opq": "" } },
      "x y x",
    ],
    "stays where the root is opaque": ["x, y x", { x: a, y: { ".wh..wh..opq": "" } }, "x y x"],
    "stays where a file takes its directory's place": [
      "x, y x",
      { x: { "d/a": "1" }, y: { d: "1" } },
      "x y x",
    ],
    "stays where something lies in its file": [
      "x, y x",
      { x: { d: "1" }, y: { "d/a": "1" } },
      "x y x",
    ],
    "stays where there is something that it removes": [
      "x, y x",
      { x: { ".wh.a": "" }, y: a },
      "x y x",
    ],
    "stays where there is something in what it removes": [
      "x, y x",
      { x: { ".wh.d": "" }, y: { "d/e/a": "1" } },
      "x y x",
    ],
    "stays where there is something in its opaque directory": [
      "x, y x",
      { x: { "d/.wh..wh..opq": "" }, y: { "d/a": "1" } },
      "x y x",
    ],
    "stays where its directory gets another mode": [
      "x, y x",
      { x: { "d/": "755", "d/a": "1" }, y: { "d/": "700" } },
      "x y x",
    ],
    "goes where its directory keeps its mode": [
      "x, y x",
      { x: { "d/": "755", "d/a": "1" }, y: { "d/": "755", "d/b": "1" } },
      "x y",
    ],
    "goes where its directory is only lain in": [
      "x, y x",
      { x: { "d/": "755", "d/a": "1" }, y: { "d/b": "1" } },
      "x y",
    ],
    "goes where other files are removed": [
      "x, y x",
      { x: { "d/a": "1" }, y: { "d/.wh.b": "" } },
      "x y",
    ],
    "goes behind several": ["x, y z x", { x: a, y: { b: "1" }, z: { c: "1" } }, "x y z"],
    "stays behind one of several": ["x, y z x", { x: a, y: { b: "1" }, z: { a: "2" } }, "x y z x"],
    "goes with one that lies between its own": [
      "x y, z x y",
      { x: a, y: { b: "1" }, z: { c: "1" } },
      "x y z",
    ],
    "an image's own repeats stay": ["w, x y x", { w: { c: "1" }, x: a, y: { b: "1" } }, "w x y x"],
    "goes without its neighbours in the history": [
      "x, y #b x #c",
      { x: a, y: { b: "1" } },
      "x y #b #c",
    ],
  };
  test.each(Object.entries(cases))("%s", (_, [bases, layers, expected]) => {
    expect(arrange(bases, layers)).toBe(expected);
  });
});
