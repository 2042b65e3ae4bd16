import { readFile, writeFile } from "node:fs/promises";
import { renderSeriesChart } from "./chart.ts";
import type { SeriesResult } from "./results.ts";
import { renderSeriesResults } from "./table.ts";

const [page, chart] = ["docs/updates.md", "docs/updates.svg"] as const;
const begin =
  "<!-- results: written by npm run bench -- series; what stands here is replaced -->\n";
const end = "<!-- results: end -->\n";

/** Writes the part of the page that is made of results, and its chart. Errors: where the page has no such part. */
export async function writeUpdates(results: readonly SeriesResult[]): Promise<void> {
  const text = replaceSeriesResults(await readFile(page, "utf8"), results);
  await writeFile(page, text);
  await writeFile(chart, renderSeriesChart(results));
  console.log(`${page} and ${chart} show them.`);
}

/** Puts results between the marks of a page; what people wrote around them stays. */
export function replaceSeriesResults(text: string, results: readonly SeriesResult[]): string {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`${page} has lost its mark ${begin.trim()}`);
  const image = "![megabytes to push a step, by planner and series](updates.svg)";
  return `${text.slice(0, from + begin.length)}\n${image}\n\n${renderSeriesResults(results)}\n${text.slice(to)}`;
}
