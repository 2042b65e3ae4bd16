import { expect, test } from "vitest";
import { planAll, releaseOf, unitOf } from "../sample.ts";
import { closeNeeds, graphNeeds } from "./graph.ts";
import { groupByHeads, nixLargest } from "./nix-largest.ts";
import { nixPopularity, sortByPopularity } from "./nix-popularity.ts";

/** A needs B and G; B needs C; C needs D and E; both need F. */
const tree = [
  unitOf("A", { needs: ["B", "G"], size: 1 }),
  unitOf("B", { needs: ["C"], size: 20 }),
  unitOf("C", { needs: ["D", "E"], size: 3 }),
  unitOf("D", { needs: ["F"], size: 30 }),
  unitOf("E", { needs: ["F"], size: 5 }),
  unitOf("F", { size: 6 }),
  unitOf("G", { size: 7 }),
];

test("who is needed by many and deeply is popular", () => {
  // Ways and those who need it: F 2 + 1 + 1 + 1 + 1 + 1 = 7, D and E 4, C 3, B and G 2, A 1.
  expect(sortByPopularity(graphNeeds(tree))).toEqual(
    ["F", "D", "E", "C", "B", "G", "A"].map((key) => `dpkg ${key}`),
  );
});

test("the most popular have a layer each, the others one, what is no package lies above", async () => {
  const release = releaseOf("2026-01-01", ...tree, unitOf("files", { kind: "other" }));
  expect(await planAll(nixPopularity, 5, release)).toEqual([
    [["F"], ["D"], ["E"], ["A", "B", "C", "G"], ["files"]],
  ]);
});

test("a circle is cut where it leads back", () => {
  const nodes = graphNeeds([unitOf("a", { needs: ["b"] }), unitOf("b", { needs: ["a"] })]);
  expect(nodes.map(({ name, needs }) => [name, needs.map((one) => one.name)])).toEqual([
    ["dpkg a", ["dpkg b"]],
    ["dpkg b", []],
  ]);
});

test("packages are together by the nearest of the largest that need them", () => {
  const nodes = graphNeeds(tree);
  const layers = groupByHeads(nodes, closeNeeds(nodes), 3);
  // D is the first head, B the second: F is the nearest to D, which B needs; C and E only B has. G would be one too many.
  expect(
    layers
      .map((layer) =>
        layer
          .map(({ unit }) => unit.key)
          .sort()
          .join(" "),
      )
      .sort(),
  ).toEqual(["A G", "B C E", "D F"]);
});

test("what needs the least bytes lies lowest", async () => {
  const release = releaseOf(
    "2026-01-01",
    unitOf("app", { needs: ["lib"], size: 50 }),
    unitOf("lib", { size: 20 }),
    unitOf("tool", { size: 60 }),
  );
  // Heads tool, app, lib: each a layer of 60, 70 and 20 bytes with what they need.
  expect(await planAll(nixLargest, 4, release)).toEqual([[["lib"], ["tool"], ["app"]]]);
});
