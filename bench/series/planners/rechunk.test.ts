import { expect, test } from "vitest";
import { changesOn, planAll, releaseOf, unitOf } from "../sample.ts";
import { fillLayers, prefillLayers } from "./rechunk-filling.ts";
import { rechunk } from "./rechunk.ts";
import { allWeeks, countJoined, countWeeks, weeksOf } from "./weeks.ts";

function timesOf(...days: readonly string[]): readonly number[] {
  return days.map((day) => Date.parse(day) / 1000);
}

test("weeks are those of ISO 8601, in which a year's first days may be of the last one's week", () => {
  // The first of January of 2021 was in week 53, the fourth in week 1.
  expect(weeksOf(timesOf("2021-01-01"))).toEqual([0, 1 << 20]);
  expect(weeksOf(timesOf("2021-01-04", "2021-01-10"))).toEqual([1, 0]);
  expect(weeksOf(timesOf("2026-12-28"))).toEqual([0, 1 << 20]);
  expect(countWeeks(allWeeks)).toBe(53);
  expect(countJoined(weeksOf(timesOf("2021-01-04")), weeksOf(timesOf("2021-01-11")))).toBe(2);
});

function weekly(name: string, size: number, ...weeks: readonly number[]) {
  const low = weeks.reduce((all, week) => all | (1 << week), 0);
  return { name, size, units: [], weeks: [low, 0] as const };
}

function namesOf(layers: readonly (readonly { readonly name: string }[])[]) {
  return layers.map((layer) => layer.map(({ name }) => name));
}

test("small ones share; a layer grows from the largest by what costs the least, until it has enough", () => {
  const components = [
    weekly("tiny", 1e5, 9),
    weekly("little", 9e5, 9),
    weekly("large", 9e6, 1),
    weekly("same", 2e6, 1),
    weekly("other", 2e6, 2),
  ];
  // Large with same: 1 week x 11 MB; with other: 2 weeks x 11 MB.
  expect(namesOf(prefillLayers(components, 4, 10e6))).toEqual([
    ["tiny"],
    ["little"],
    ["large", "same"],
    ["other"],
  ]);
});

test("what is left goes where it adds the least, and not into a layer over the limit", () => {
  const [often, seldom] = [weekly("often", 5e6, 1, 2, 3), weekly("seldom", 20e6, 1)];
  const fresh = weekly("fresh", 1e6, 1);
  // To often: 3 x 6 - 3 x 5 = 3; to seldom: 21 - 20 = 1.
  expect(namesOf(fillLayers([[often], [seldom]], [fresh], 30e6))).toEqual([
    ["often"],
    ["seldom", "fresh"],
  ]);
  expect(namesOf(fillLayers([[often], [seldom]], [fresh], 10e6))).toEqual([
    ["often", "fresh"],
    ["seldom"],
  ]);
});

test("the plan before is kept; only what is new is placed", async () => {
  const changes = changesOn("2025-03-03", "2025-04-07", "2025-05-05");
  const one = unitOf("one", { size: 9e6, changes });
  const two = unitOf("two", {
    size: 5e6,
    changes: changesOn("2025-06-02", "2025-07-07", "2025-08-04"),
  });
  const files = unitOf("files", { kind: "other" });
  const plans = await planAll(
    rechunk,
    3,
    releaseOf("2026-01-01", one, two, files),
    // The largest of all, which would be the first seed of a fresh plan; in its weeks `one` changes as well.
    releaseOf("2026-01-08", one, two, files, unitOf("new", { size: 30e6, changes })),
    releaseOf("2026-01-15", two, files, unitOf("new", { size: 30e6, changes })),
  );
  expect(plans).toEqual([
    [["one"], ["two"], ["files"]],
    [["new", "one"], ["two"], ["files"]],
    [["new"], ["two"], ["files"]],
  ]);
});

test("large packages of one source have a layer of their own", async () => {
  const release = releaseOf(
    "2026-01-01",
    unitOf("kde-a", { source: "kde", size: 6e6 }),
    unitOf("kde-b", { source: "kde", size: 6e6 }),
    unitOf("x", { size: 2e6 }),
    unitOf("y", { size: 2e6 }),
  );
  expect(await planAll(rechunk, 2, release)).toEqual([
    [
      ["kde-a", "kde-b"],
      ["x", "y"],
    ],
  ]);
});
