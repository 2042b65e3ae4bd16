import { expect, test } from "vitest";
import { renderChart } from "./chart.ts";
import { replaceResults } from "./docs.ts";
import type { Measurement } from "./measure.ts";
import { mergeResults, type Result, type Results, type Row } from "./results.ts";
import { renderResults } from "./table.ts";
import { chooseWorkloads, workloads } from "./workloads.ts";

function measured(name: string, seconds: readonly number[]): Measurement {
  const memory = { process: 90e6, tree: 120e6 };
  return { name, seconds, moved: [], memory, cpu: seconds.map((one) => 2 * one) };
}

function result(letter: string, row: Partial<Row> = {}): Result {
  const [ours, peer] = [measured("ours", [1, 2, 3]), measured("a < b", [4, 4, 4])];
  const busy = { cores: 2, loadBefore: 1, loadAfter: 3.25, idle: 0.125 };
  const rows = [{ what: "a thing", ours, peer, goal: "0.6 x", ...row }];
  return { name: `name-${letter}`, letter, title: "", at: "", commit: "", busy, rows };
}

function resultsOf(...results: readonly Result[]): Results {
  return { machine: { cores: 2 }, programs: { buildah: "1.28.2" }, results };
}

test("a row tells medians, the rounds they lie between, and how busy the machine was", () => {
  expect(renderResults(resultsOf(result("B")))).toContain(
    "| B | a thing | a < b | 2.00 s (1.00 s to 3.00 s) | 4.00 s | **0.50 x (0.25 x to 0.75 x)** | 0.6 x | 90 MB, 120 MB | load 1.0 to 3.3, 13 % idle |\n",
  );
});

test("a goal that is missed is not bold", () => {
  const missed = resultsOf(result("B", { goal: "0.4 x" }));
  expect(renderResults(missed)).toContain("| 0.50 x (0.25 x to 0.75 x) | 0.4 x |");
});

test("of a workload the last results count", () => {
  const [old, other] = [result("B", { what: "old" }), result("A")];
  const merged = mergeResults([resultsOf(old, other), resultsOf(result("B", { what: "new" }))]);
  expect(merged.results.map(({ letter, rows }) => [letter, rows[0]?.what])).toEqual([
    ["A", "a thing"],
    ["B", "new"],
  ]);
});

test("what people wrote around the results stays", () => {
  const marks = [
    "<!-- results: written by npm run bench; what stands here is replaced -->\n",
    "<!-- results: end -->\n",
  ] as const;
  const page = `before\n${marks[0]}old\n${marks[1]}after\n`;
  const text = replaceResults(page, resultsOf(result("B")));
  expect(text.startsWith(`before\n${marks[0]}`)).toBe(true);
  expect(text.endsWith(`${marks[1]}after\n`)).toBe(true);
  expect(text).not.toContain("old");
  expect(replaceResults(text, resultsOf(result("B")))).toBe(text);
  expect(() => replaceResults("no marks\n", resultsOf())).toThrow("has lost its mark");
});

test("the chart has a bar for each peer, left of 1 where ours is faster, its words escaped", () => {
  const slow = result("C", { ours: measured("ours", [8]), peer: measured("p", [4]) });
  const chart = renderChart(resultsOf(result("B"), slow, result("D", { peer: undefined })));
  const bars = [
    ...chart.matchAll(
      /<rect class="(?<kind>\w+)" x="(?<x>[\d.]+)" y="\d+" width="(?<width>[\d.]+)"/g,
    ),
  ];
  expect(bars.map(({ groups }) => groups?.["kind"])).toEqual(["less", "more"]);
  const [less, more] = bars.map(({ groups }) => ({
    x: Number(groups?.["x"]),
    width: Number(groups?.["width"]),
  }));
  expect((less?.x ?? 0) + (less?.width ?? 0)).toBeCloseTo(more?.x ?? 0, 0);
  expect(less?.width).toBeCloseTo(more?.width ?? 0, 0);
  expect(chart).toContain("a &lt; b");
});

function choose(...words: readonly string[]): readonly string[] {
  return chooseWorkloads(words).map(({ letter }) => letter);
}

test("workloads are named by letter, word, title or a part of a title", () => {
  expect(choose("B")).toEqual(["B"]);
  expect(choose("changed", "I")).toEqual(["I", "B"]);
  expect(choose("one of 96 changed")).toEqual(["B"]);
  expect(choose("of 96")).toEqual(["B", "C"]);
  expect(choose()).not.toContain("O");
  expect(() => choose("B", "nonsense")).toThrow('there is no workload "nonsense"');
});

test("no two workloads are called alike", () => {
  const words = workloads.flatMap(({ name, letter, title }) => [name, letter, title]);
  expect(new Set(words).size).toBe(words.length);
});
