import { expect, test } from "vitest";
import { renderSeriesChart } from "./chart.ts";
import { replaceSeriesResults } from "./docs.ts";
import { findBest, summarize, type Row, type SeriesResult } from "./results.ts";
import { runSeries } from "./run.ts";
import { releaseOf, seriesOf, unitOf } from "./sample.ts";
import { renderMega, renderSeriesResults } from "./table.ts";

function row(planner: string, role: Row["role"], ...megabytes: readonly number[]): Row {
  const steps = megabytes.map((pushed, at) => ({
    date: `2026-01-0${at + 2}`,
    pushed: pushed * 1e6,
    unpacked: 3e6 * pushed,
    packed: 10e6,
    layers: 7,
    kept: 6,
    seconds: 0.002,
  }));
  return { planner, role, most: 64, steps };
}

const result: SeriesResult = {
  name: "sample",
  title: "A < sample",
  about: "Made up.",
  dates: ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"],
  units: 3,
  bound: [0.5e6, 0.5e6, 0.5e6],
  rows: [
    row("ours", "own", 1, 1, 1),
    row("theirs", "rival", 1, 2, 6),
    row("worse", "rival", 4, 4, 4),
    row("one layer", "plain", 10, 10, 10),
    row("clairvoyant", "limit", 0.5, 0.5, 1),
  ],
};

test("a row in few numbers", () => {
  const { mean, median, worst, kept, unpacked } = summarize(result.rows[1]?.steps ?? []);
  expect({ mean, median, worst, unpacked }).toEqual({
    mean: 3e6,
    median: 2e6,
    worst: 6e6,
    unpacked: 9e6,
  });
  expect(kept).toBeCloseTo(0.7, 12);
});

test("the best rival is the one with the least to push in the mean", () => {
  expect(findBest(result.rows, "rival")?.planner).toBe("theirs");
  expect(findBest([], "own")).toBeUndefined();
});

test("the tables: what it comes to, then each row", () => {
  const text = renderSeriesResults([result]);
  expect(text).toContain(
    "| A < sample | 64 | theirs | 3.00 | 0.67, 0.22 x | 1.00, 0.33 x | 1.50 x | theirs, 9.00 | 2.00 | 3.00, 0.33 x |\n",
  );
  expect(text).toContain("| **ours** | 1.00 | 1.00 | 1.00 | 90.0 % | 3.00 | 7 | 6.0 | 2 ms |\n");
  expect(text).toContain("| (what changed, alone) | 0.50 |");
  expect(text).toContain("Made up. `sample`: 4 releases from 2026-01-01 to 2026-01-04");
});

test("without ours there is room for it", () => {
  const rows = result.rows.filter(({ role }) => role !== "own");
  expect(renderSeriesResults([{ ...result, rows }])).toContain(
    "| A < sample | 64 | theirs | 3.00 | 0.67, 0.22 x |  |  | theirs, 9.00 | 2.00 |  |\n",
  );
});

test("megabytes have three digits that mean something", () => {
  expect([1.234e6, 12.34e6, 123.4e6, 0].map(renderMega)).toEqual(["1.23", "12.3", "123", "0.00"]);
});

test("the chart: a bar for each planner, cut where it is far longer than the planners'", () => {
  const svg = renderSeriesChart([result]);
  expect(svg.match(/<rect class="/g)).toHaveLength(5);
  expect(svg.match(/<line class="cut"/g)).toHaveLength(1);
  expect(svg).toContain("A &lt; sample");
  expect(svg).toContain('class="least"');
});

test("results stand between the marks; what people wrote stays", () => {
  const [begin, end] = [
    "<!-- results: written by npm run bench -- series; what stands here is replaced -->",
    "<!-- results: end -->",
  ];
  const text = replaceSeriesResults(`before\n${begin}\nold\n${end}\nbehind\n`, [result]);
  expect(text).toMatch(/^before\n<!--.*\n\n!\[[^]*\*\*ours\*\*[^]*end -->\nbehind\n$/);
  expect(text).not.toContain("old");
  expect(() => replaceSeriesResults("none", [result])).toThrow("has lost its mark");
});

test("a run asks each planner for each release at each limit", async () => {
  const releases = ["1", "2", "3"].map((version) =>
    releaseOf(`2026-01-0${version}`, unitOf("a", { version }), unitOf("b")),
  );
  const ran = await runSeries(seriesOf(...releases), {
    limits: [20, 64],
    names: ["apko", "clairvoyant"],
  });
  expect(ran.rows.map(({ planner, most, steps }) => [planner, most, steps.length])).toEqual([
    ["apko", 20, 2],
    ["clairvoyant", 20, 2],
    ["apko", 64, 2],
    ["clairvoyant", 64, 2],
  ]);
  expect(ran.bound).toEqual([10, 10]);
});
