import { readdir } from "node:fs/promises";
import { parseArgs } from "node:util";
import { writeUpdates } from "./series/docs.ts";
import type { Series } from "./series/model.ts";
import { readSeriesResults, writeSeriesResults, type SeriesResult } from "./series/results.ts";
import { runSeries, type Choice } from "./series/run.ts";
import { readSeries } from "./series/store.ts";
import { renderSeriesResults } from "./series/table.ts";

const directory = "bench/results/series";
/** The most layers: a small image, chunkah's default, what storages take at most. */
const allLimits = [20, 64, 127];

const options = {
  planner: { type: "string", multiple: true },
  series: { type: "string", multiple: true },
  layers: { type: "string", multiple: true },
  render: { type: "boolean" },
} as const;

/** Runs all planners over all stored series, or those that are named, or only shows what a run has stored. */
async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options });
  if (values.render === true) {
    await writeUpdates(await readSeriesResults());
    return;
  }
  const { planner: planners, series: names, layers } = values;
  const limits = layers?.map(readLimit) ?? allLimits;
  const results = await runAll(await listSeries(names), { limits, names: planners });
  const ran = new Set(results.flatMap(({ rows }) => rows.map(({ planner }) => planner)));
  const unknown = planners?.find((name) => !ran.has(name));
  if (unknown !== undefined)
    throw new Error(`no planner is called ${unknown}: take a name from docs/updates.md`);
  console.log(renderSeriesResults(results));
  // A glance at some leaves the page as it is.
  if ([planners, names, layers].some((chosen) => chosen !== undefined)) return;
  await writeSeriesResults(results);
  await writeUpdates(results);
}

async function runAll(all: readonly Series[], choice: Choice): Promise<readonly SeriesResult[]> {
  const results: SeriesResult[] = [];
  for (const series of all) {
    process.stderr.write(`  ${series.title}\n`);
    results.push(await runSeries(series, choice));
  }
  return results;
}

/** Those that are named, or all that are stored, by name. */
async function listSeries(names: readonly string[] | undefined): Promise<readonly Series[]> {
  const files = (await readdir(directory)).filter(
    (file) => file.endsWith(".json") && file !== "results.json",
  );
  const stored = files.map((file) => file.replace(/\.json$/, "")).sort();
  const unknown = names?.find((name) => !stored.includes(name));
  if (unknown !== undefined)
    throw new Error(
      `there is no series ${unknown} in ${directory}: name one of ${stored.join(", ")}`,
    );
  return Promise.all((names ?? stored).map((name) => readSeries(`${directory}/${name}.json`)));
}

function readLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 4)
    throw new Error(`--layers ${text} is no number of layers: give one from 4 on`);
  return limit;
}

await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
