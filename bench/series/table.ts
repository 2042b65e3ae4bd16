import { findBest, meanOf, summarize, type Row, type SeriesResult } from "./results.ts";

const columns = [
  "planner",
  "push, mean",
  "median",
  "worst",
  "bytes kept",
  "unpack, mean",
  "layers",
  "of them kept",
  "planning",
];

const overview = [
  "series",
  "layers",
  "best rival",
  "its push",
  "clairvoyant, of the rival's",
  "ours, of the rival's",
  "ours of the clairvoyant",
  "least a rival unpacks",
  "clairvoyant",
  "ours, of the rival's",
];

/** All results as Markdown: first what they come to, then a table for each series and limit. */
export function renderSeriesResults(results: readonly SeriesResult[]): string {
  return [renderOverview(results), ...results.map(renderSeries)].join("\n");
}

/** Of each series and limit the best rivals (by push, and by unpacking), the clairvoyant, and ours where there is one. */
function renderOverview(results: readonly SeriesResult[]): string {
  return renderTable(
    overview,
    results.flatMap((one) => listLimits(one).map((most) => renderOverviewRow(one, most))),
  );
}

function renderOverviewRow({ title, rows }: SeriesResult, most: number): readonly string[] {
  const these = rows.filter((row) => row.most === most);
  const [rival, limit, own] = (["rival", "limit", "own"] as const).map((role) =>
    findBest(these, role),
  );
  const least = findBest(these, "rival", "unpacked");
  const [theirs, best, ours] = [rival, limit, own].map((one) => one?.summary.mean);
  return [
    title,
    String(most),
    rival?.planner ?? "",
    renderMega(theirs),
    joinWords(renderMega(best), renderPart(best, theirs)),
    joinWords(renderMega(ours), renderPart(ours, theirs)),
    renderPart(ours, best),
    joinWords(least?.planner, renderMega(least?.summary.unpacked)),
    renderMega(limit?.summary.unpacked),
    joinWords(
      renderMega(own?.summary.unpacked),
      renderPart(own?.summary.unpacked, least?.summary.unpacked),
    ),
  ];
}

function joinWords(...words: readonly (string | undefined)[]): string {
  return words.filter((word) => word !== undefined && word !== "").join(", ");
}

function renderSeries(result: SeriesResult): string {
  const { name, title, about, dates, units } = result;
  const tables = listLimits(result).map((most) => renderLimit(result, most));
  const facts = `\`${name}\`: ${dates.length} releases from ${dates[0]} to ${dates.at(-1)}, ${units} units in the last.`;
  const text = about === "" ? facts : `${about} ${facts}`;
  return `### ${title}\n\n${text}\n\n${tables.join("\n")}`;
}

function renderLimit({ rows, bound }: SeriesResult, most: number): string {
  const own = rows.filter((row) => row.most === most).map(renderRow);
  const limit = [
    "(what changed, alone)",
    renderMega(meanOf(bound)),
    "",
    renderMega(Math.max(...bound)),
    "",
    "",
    "",
    "",
    "",
  ];
  return `At most ${most} layers:\n\n${renderTable(columns, [...own, limit])}`;
}

function renderRow({ planner, role, steps }: Row): readonly string[] {
  const { mean, median, worst, kept, unpacked, layers, keptLayers, seconds } = summarize(steps);
  return [
    role === "own" ? `**${planner}**` : planner,
    ...[mean, median, worst].map(renderMega),
    `${(kept * 100).toFixed(1)} %`,
    renderMega(unpacked),
    String(layers),
    keptLayers.toFixed(1),
    `${(seconds * 1000).toFixed(0)} ms`,
  ];
}

function listLimits({ rows }: SeriesResult): readonly number[] {
  return [...new Set(rows.map(({ most }) => most))];
}

/** Bytes as MB, with three digits that mean something. */
export function renderMega(bytes: number | undefined): string {
  if (bytes === undefined) return "";
  const mega = bytes / 1e6;
  return mega.toFixed(mega < 10 ? 2 : mega < 100 ? 1 : 0);
}

function renderPart(value: number | undefined, of: number | undefined): string {
  return value === undefined || of === undefined ? "" : `${(value / of).toFixed(2)} x`;
}

function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const align = head.map((_, at) => (at === 0 ? "---" : "--:"));
  return [head, align, ...rows].map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}
