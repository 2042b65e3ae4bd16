import { escapeXml } from "../chart.ts";
import { summarize, type Row, type SeriesResult } from "./results.ts";
import { renderMega } from "./table.ts";

/** The limit that the chart shows: chunkah's default. */
const shown = 64;

interface Bar {
  readonly label: string;
  readonly role: Row["role"];
  /** Bytes. */
  readonly value: number;
}

/** In pixels. */
const size = { label: 190, plot: 420, value: 74, row: 22, head: 46, top: 50, bottom: 14 } as const;
const width = size.label + size.plot + size.value;

// As in benchmarks.svg: the media query follows the reader's system, and the background is the page's.
const style = `
  text { font: 12px system-ui, "DejaVu Sans", sans-serif; fill: #1f2328; }
  .title { font-size: 14px; font-weight: 600; }
  .series { font-weight: 600; }
  .note, .plain-label { fill: #59636e; }
  .base { stroke: #59636e; }
  .own { fill: #1a7f37; }
  .rival { fill: #2f81f7; }
  .plain { fill: #afb8c1; }
  .limit { fill: none; stroke: #d4762c; stroke-width: 1.5; }
  .least { stroke: #d4762c; stroke-dasharray: 3 3; }
  .cut { stroke: #ffffff; stroke-width: 3; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .note, .plain-label { fill: #9198a1; }
    .base { stroke: #9198a1; }
    .own { fill: #3fb950; }
    .plain { fill: #656c76; }
    .cut { stroke: #0d1117; }
  }
`;

/**
 * For each series a bar for each planner: the mean megabytes to push a step at 64 layers. Each series has a scale of its
 * own, that of its planners; a bar that is longer (one layer, a layer an instruction) is cut, and its value tells. The
 * dashed line is the clairvoyant plan. An SVG that needs nothing else.
 */
export function renderSeriesChart(results: readonly SeriesResult[]): string {
  const panels: string[] = [];
  let top: number = size.top;
  for (const result of results) {
    const bars = listBars(result);
    panels.push(renderPanel(result, bars, top));
    top += size.head + bars.length * size.row + size.bottom;
  }
  const title = `Megabytes to push a step, at ${shown} layers`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top}" viewBox="0 0 ${width} ${top}" role="img" aria-label="${title}">
<style>${style}</style>
<text class="title" x="4" y="18">${title}</text>
<text class="note" x="4" y="36">the mean of all steps; shorter is better; dashed: the clairvoyant plan, which knows all releases before</text>
${panels.join("\n")}
</svg>
`;
}

function listBars({ rows }: SeriesResult): readonly Bar[] {
  return rows
    .filter(({ most }) => most === shown)
    .map(({ planner, role, steps }) => ({ label: planner, role, value: summarize(steps).mean }));
}

/** The longest bar that is not cut: the planners' longest, unless it hides the others; or one that is hardly longer. */
function findScale(bars: readonly Bar[]): number {
  const values = bars
    .filter(({ role }) => role !== "plain")
    .map(({ value }) => value)
    .sort((a, b) => b - a);
  const [longest = 1, second = longest] = values;
  const scale = longest > 2 * second ? 1.5 * second : longest;
  const near = bars.map(({ value }) => value).filter((value) => value <= 1.2 * scale);
  return Math.max(...near, 1);
}

function renderPanel({ title, dates }: SeriesResult, bars: readonly Bar[], top: number): string {
  const scale = findScale(bars);
  const least = bars.find(({ role }) => role === "limit")?.value;
  const [from, to] = [top + size.head - 8, top + size.head + bars.length * size.row];
  const steps = `${dates.length - 1} steps, ${dates[0]} to ${dates.at(-1)}`;
  const lines = [
    `<line class="base" x1="${size.label}" x2="${size.label}" y1="${from}" y2="${to}"/>`,
    least === undefined ? "" : renderLeast((least / scale) * size.plot, from, to),
  ];
  return [
    `<text class="series" x="4" y="${top + 22}">${escapeXml(title)} <tspan class="note" font-weight="400">${steps}</tspan></text>`,
    ...bars.map((bar, at) => renderBar(bar, scale, top + size.head + at * size.row)),
    ...lines,
  ].join("\n");
}

function renderLeast(length: number, from: number, to: number): string {
  const x = (size.label + length).toFixed(1);
  return `<line class="least" x1="${x}" x2="${x}" y1="${from}" y2="${to}"/>`;
}

function renderBar({ label, role, value }: Bar, scale: number, top: number): string {
  const isCut = value > scale;
  const length = isCut ? size.plot : Math.max(1, (value / scale) * size.plot);
  const end = size.label + length;
  const middle = top + size.row / 2;
  const gap = `<line class="cut" x1="${end - 26}" x2="${end - 18}" y1="${top + size.row - 2}" y2="${top + 2}"/>`;
  const weight = role === "own" ? ' font-weight="600"' : "";
  return [
    `<text text-anchor="end"${role === "plain" ? ' class="plain-label"' : ""}${weight} x="${size.label - 8}" y="${middle + 4}">${escapeXml(label)}</text>`,
    `<rect class="${role}" x="${size.label}" y="${top + 4}" width="${length.toFixed(1)}" height="${size.row - 8}" rx="2"/>`,
    isCut ? gap : "",
    `<text x="${(end + 6).toFixed(1)}" y="${middle + 4}"${weight}>${renderMega(value)}</text>`,
  ].join("");
}
