import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { tables, type Table } from "./series/collect/tables.ts";
import { nameUnit, type Release, type Series } from "./series/model.ts";
import { writeSeries } from "./series/store.ts";

interface Options {
  readonly whole?: string | undefined;
  readonly until?: string | undefined;
}

/** Collects the series that are named, or all, and stores them; `--whole DIR` writes each there as the model has it. `--until DAY` is the last state of those that a registry has of any day: today. */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { whole: { type: "string" }, until: { type: "string" } },
    allowPositionals: true,
  });
  const unknown = positionals.find((word) => tables.every(({ name }) => name !== word));
  if (unknown !== undefined) {
    const names = tables.map(({ name }) => name).join(", ");
    throw new Error(`there is no series ${unknown}: name some of ${names}`);
  }
  for (const table of tables) {
    if (positionals.length > 0 && !positionals.includes(table.name)) continue;
    await collect(table, values);
  }
}

async function collect(table: Table, { whole, until }: Options): Promise<void> {
  const { collect: collectReleases, ...head } = table;
  const day = until ?? new Date().toISOString().slice(0, 10);
  const series: Series = { ...head, releases: await collectReleases(day) };
  await writeSeries(`bench/results/series/${series.name}.json`, series);
  if (whole !== undefined) {
    await mkdir(whole, { recursive: true });
    await writeFile(join(whole, `${series.name}.json`), JSON.stringify(series));
  }
  console.log(`${series.name}: ${series.releases.length} releases`);
  for (const [at, release] of series.releases.entries()) {
    console.log(`  ${describeStep(series.releases[at - 1], release)}`);
  }
}

/** What a release is, and what of it was not in the one before. */
function describeStep(before: Release | undefined, { date, units }: Release): string {
  const known = new Set(before?.units.map((unit) => `${nameUnit(unit)} ${unit.version}`));
  const fresh = units.filter((unit) => !known.has(`${nameUnit(unit)} ${unit.version}`));
  const sum = (all: typeof units): string =>
    `${(all.reduce((bytes, { packed }) => bytes + packed, 0) / 1e6).toFixed(1)} MB`;
  return `${date}: ${units.length} units, ${sum(units)}; new ${fresh.length}, ${sum(fresh)}`;
}

await main();
