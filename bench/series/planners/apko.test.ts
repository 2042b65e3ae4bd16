import { expect, test } from "vitest";
import { planAll, releaseOf, unitOf } from "../sample.ts";
import { apko } from "./apko.ts";

const release = releaseOf(
  "2026-01-01",
  unitOf("small", { size: 10 }),
  unitOf("half", { source: "whole", size: 300 }),
  unitOf("rest", { source: "whole", size: 300 }),
  unitOf("large", { size: 500 }),
  unitOf("least", { size: 5 }),
  unitOf("files", { kind: "other", size: 900 }),
);

test("the largest origins have a layer each, the others one; files of no package lie above", async () => {
  expect(await planAll(apko, 4, release)).toEqual([
    [["half", "rest"], ["large"], ["least", "small"], ["files"]],
  ]);
});

test("none shares where there is room for all", async () => {
  expect(await planAll(apko, 5, release)).toEqual([
    [["half", "rest"], ["large"], ["small"], ["least"], ["files"]],
  ]);
});
