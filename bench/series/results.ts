import { readFile, writeFile } from "node:fs/promises";
import { medianOf } from "../measure.ts";
import type { Step } from "./account.ts";
import type { Role } from "./planners/planners.ts";

/** What a planner did with a series at a limit. */
export interface Row {
  readonly planner: string;
  readonly role: Role;
  /** The most layers that it may have. */
  readonly most: number;
  readonly steps: readonly Step[];
}

/** All that was measured of a series. */
export interface SeriesResult {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  /** The days of its releases, oldest first. */
  readonly dates: readonly string[];
  /** Of the last release. */
  readonly units: number;
  /** For each step the compressed bytes of what changed: no plan pushes less. */
  readonly bound: readonly number[];
  readonly rows: readonly Row[];
}

/** A row in a few numbers: bytes a step, unless something else is said. */
export interface Summary {
  readonly mean: number;
  readonly median: number;
  readonly worst: number;
  /** The part of the image's compressed bytes that is kept, the mean of the steps': 0 to 1. */
  readonly kept: number;
  readonly unpacked: number;
  /** Of the last release. */
  readonly layers: number;
  /** How many layers the image before has, too: the mean of the steps'. */
  readonly keptLayers: number;
  /** Seconds of planning, the mean of the steps'. */
  readonly seconds: number;
}

export function summarize(steps: readonly Step[]): Summary {
  const pushed = steps.map((step) => step.pushed);
  return {
    mean: meanOf(pushed),
    median: medianOf(pushed),
    worst: Math.max(...pushed),
    kept: meanOf(steps.map((step) => 1 - step.pushed / step.packed)),
    unpacked: meanOf(steps.map((step) => step.unpacked)),
    layers: steps.at(-1)?.layers ?? 0,
    keptLayers: meanOf(steps.map((step) => step.kept)),
    seconds: meanOf(steps.map((step) => step.seconds)),
  };
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The row of a role with the least bytes to push, or to unpack, in the mean; undefined where there is none. */
export function findBest(
  rows: readonly Row[],
  role: Role,
  by: "mean" | "unpacked" = "mean",
): { readonly planner: string; readonly summary: Summary } | undefined {
  return rows
    .filter((row) => row.role === role)
    .map(({ planner, steps }) => ({ planner, summary: summarize(steps) }))
    .sort((a, b) => a.summary[by] - b.summary[by])[0];
}

const file = "bench/results/series/results.json";

/** @throws where nothing was stored */
export async function readSeriesResults(): Promise<readonly SeriesResult[]> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new Error(`there is no ${file}: run npm run bench -- series`, { cause: error });
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own program wrote it
  return JSON.parse(text) as readonly SeriesResult[];
}

/** A row a line, so that what changes in it can be seen. */
export async function writeSeriesResults(results: readonly SeriesResult[]): Promise<void> {
  const texts = results.map(({ rows, ...head }) => {
    const lines = rows.map((row) => JSON.stringify(row)).join(",\n");
    return `${JSON.stringify(head).slice(0, -1)},"rows":[\n${lines}\n]}`;
  });
  await writeFile(file, `[${texts.join(",\n")}]\n`);
  console.log(`Every figure is in ${file}.`);
}
