import { expect, test } from "vitest";
import { planAll, releaseOf, unitOf } from "../sample.ts";
import { packBySize } from "./rpm-ostree-packing.ts";
import { rpmOstree } from "./rpm-ostree.ts";

function frequent(name: string, size: number, frequency: number) {
  return { name, size, frequency, units: [unitOf(name)] };
}

test("large ones are alone, small ones together, the others by frequency, what always changes alone", () => {
  // Sizes 2 to 1000: median 101, deviation 1, so that from 103 on they are large, and to 49.5 small.
  const components = [
    ...["l1", "l2", "l3"].map((name, at) => frequent(name, 1000 - at, 0)),
    ...["m1", "m2", "m3", "m4"].map((name, at) => frequent(name, 100 + (at % 2), at)),
    ...["n1", "n2"].map((name, at) => frequent(name, 102, 20 + at)),
    frequent("s1", 2, 0),
    frequent("s2", 3, 0),
    frequent("db", 500, Infinity),
  ];
  // Of seven layers: one reserved, one small, one always; of four the large have floor(2.4).
  const layers = packBySize(components, 7).map((layer) => layer.map(({ name }) => name).sort());
  expect(layers.slice(0, 3)).toEqual([["l1"], ["l2"], ["s1", "s2"]]);
  expect(layers.at(-1)).toEqual(["db"]);
  expect(layers.length).toBeLessThanOrEqual(6);
  expect(layers.flat()).toHaveLength(12);
});

test("as long as there is room, each has a layer", () => {
  expect(packBySize([frequent("a", 1, 0), frequent("b", 9, 1)], 3)).toHaveLength(2);
});

test("the plan before is kept: what is gone is left out, what is new is together in the last layer", async () => {
  const [a, b, c, d] = ["a", "b", "c", "d"].map((key) => unitOf(key));
  if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error();
  const plans = await planAll(
    rpmOstree,
    20,
    releaseOf("2026-01-01", a, b),
    releaseOf("2026-01-02", a, b, c),
    releaseOf("2026-01-03", b, c, d),
  );
  expect(plans).toEqual([
    [["a"], ["b"]],
    [["a"], ["b"], ["c"]],
    [["b"], ["c", "d"]],
  ]);
});
