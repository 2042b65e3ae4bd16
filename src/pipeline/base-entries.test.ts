import { expect, test } from "vitest";
import { makeBases } from "../../test/support/base-images.ts";
import type { CollectedOutput } from "../layers/layers.ts";
import { arrangeKnown } from "./arrange-bases.ts";
import { withBases } from "./base-entries.ts";
import { concatenate } from "./base-order.ts";

/** What a build listed: layers by name. */
function listOutput(words: string): CollectedOutput {
  const entries = words === "" ? [] : concatenate(makeBases(words)).map(({ entry }) => entry);
  return { entries, config: undefined, annotations: {}, warnings: [], state: undefined };
}

test.each([
  ["its own layers stand above", "b x, b y", "o p", "b x y o p"],
  ["none", "b x, b y", "", "b x y"],
  ["a copied history", "b x, b y", "b x y o", "b x y o"],
  ["one of a build that knew no runs", "b x, b y", "b x b y o", "b x y o"],
  ["one of another order", "b x, b y", "b y x o", "b x y b y x o"],
  ["repeats are the build's business", "b x, b y", "o x o", "b x y o x o"],
  ["repeats behind a copied history, too", "b x, b y", "b x y x", "b x y x"],
])("%s", (_, bases, listed, expected) => {
  const arranged = arrangeKnown(makeBases(bases), [], new Map());
  const { entries } = withBases(listOutput(listed), arranged);
  const names = entries.map((one) =>
    one.kind === "layer" ? one.layer.history.created_by : one.history.created_by,
  );
  expect(names.join(" ")).toBe(expected);
});
