import { readFile, writeFile } from "node:fs/promises";
import { renderChart } from "./chart.ts";
import type { Results } from "./results.ts";
import { renderResults } from "./table.ts";

const [page, chart] = ["docs/benchmarks.md", "docs/benchmarks.svg"] as const;
const begin = "<!-- results: written by npm run bench; what stands here is replaced -->\n";
const end = "<!-- results: end -->\n";

/** Writes the part of the page that is made of results, and its chart. Errors: where the page has no such part. */
export async function writeDocs(results: Results): Promise<void> {
  const text = replaceResults(await readFile(page, "utf8"), results);
  await writeFile(page, text);
  await writeFile(chart, renderChart(results));
  console.log(`${page} and ${chart} show them.`);
}

/** Puts results between the marks of a page; what people wrote around them stays. */
export function replaceResults(text: string, results: Results): string {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`${page} has lost its mark ${begin.trim()}`);
  const image = "![xbuild's time as a part of the peers' time](benchmarks.svg)";
  return `${text.slice(0, from + begin.length)}\n${image}\n\n${renderResults(results)}\n${text.slice(to)}`;
}
