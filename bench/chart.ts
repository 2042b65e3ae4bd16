import { renderRatio, spreadOfRatios, type Spread } from "./format.ts";
import type { Results } from "./results.ts";

interface Bar {
  readonly label: string;
  readonly peer: string;
  readonly ratio: Spread;
}

/** In pixels. */
const size = { label: 440, plot: 330, value: 60, row: 22, top: 64, bottom: 12 } as const;
const width = size.label + size.plot + size.value;

// Where an SVG is an image of a page, the media query follows the reader's system, and the background is the page's.
const style = `
  text { font: 12px system-ui, "DejaVu Sans", sans-serif; fill: #1f2328; }
  .title { font-size: 14px; font-weight: 600; }
  .peer, .tick { fill: #59636e; }
  .grid { stroke: #d1d9e0; }
  .one { stroke: #59636e; }
  .spread { stroke: #1f2328; }
  .less { fill: #2f81f7; }
  .more { fill: #d4762c; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .peer, .tick { fill: #9198a1; }
    .grid { stroke: #3d444d; }
    .one { stroke: #9198a1; }
    .spread { stroke: #f0f6fc; }
  }
`;

/**
 * A bar for each row that has a peer: how long ours takes of the peer's time, on a logarithmic scale, from 1 to the left
 * where ours takes less; across it what the rounds lie between. An SVG that needs nothing else.
 */
export function renderChart({ results }: Results): string {
  const bars = results.flatMap(({ letter, rows }) =>
    rows.flatMap(({ what, ours, peer }): readonly Bar[] =>
      peer === undefined
        ? []
        : [{ label: `${letter}: ${what}`, peer: peer.name, ratio: spreadOfRatios(ours, peer) }],
    ),
  );
  const scale = createScale(bars.flatMap(({ ratio }) => [ratio.least, ratio.most]));
  const height = size.top + bars.length * size.row + size.bottom;
  const title = "xbuild's time as a part of the peer's";
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">
<style>${style}</style>
<text class="title" x="4" y="18">${title}</text>
<text class="peer" x="4" y="35">left of 1 xbuild takes less; medians, the thin line from the least round to the most</text>
${scale.ticks.map((tick) => renderTick(tick, scale, height)).join("\n")}
${bars.map((bar, index) => renderBar(bar, scale, size.top + index * size.row)).join("\n")}
</svg>
`;
}

interface Scale {
  readonly ticks: readonly number[];
  readonly at: (ratio: number) => number;
}

/** Around all values and 1. */
function createScale(values: readonly number[]): Scale {
  const [least, most] = [Math.min(0.5, ...values), Math.max(2, ...values)];
  const [low, high] = [Math.log10(least), Math.log10(most)];
  const ticks = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100];
  return {
    ticks: ticks.filter((tick) => tick >= least && tick <= most),
    at: (ratio) => size.label + ((Math.log10(ratio) - low) / (high - low)) * size.plot,
  };
}

function renderTick(tick: number, { at }: Scale, height: number): string {
  const x = at(tick).toFixed(1);
  const line = `<line class="${tick === 1 ? "one" : "grid"}" x1="${x}" x2="${x}" y1="${size.top - 8}" y2="${height - size.bottom}"/>`;
  return `${line}<text class="tick" text-anchor="middle" x="${x}" y="${size.top - 13}">${tick} x</text>`;
}

function renderBar({ label, peer, ratio }: Bar, { at }: Scale, top: number): string {
  const [one, end, from, to] = [1, ratio.median, ratio.least, ratio.most].map(at);
  const [left, right] = [Math.min(one ?? 0, end ?? 0), Math.max(one ?? 0, end ?? 0)];
  const middle = top + size.row / 2;
  const text = `${escapeXml(label)} <tspan class="peer">/ ${escapeXml(peer)}</tspan>`;
  const kind = ratio.median <= 1 ? "less" : "more";
  return [
    `<text text-anchor="end" x="${size.label - 8}" y="${middle + 4}">${text}</text>`,
    `<rect class="${kind}" x="${left.toFixed(1)}" y="${top + 4}" width="${Math.max(1, right - left).toFixed(1)}" height="${size.row - 8}" rx="2"/>`,
    `<line class="spread" x1="${from?.toFixed(1)}" x2="${to?.toFixed(1)}" y1="${middle}" y2="${middle}"/>`,
    `<text text-anchor="end" x="${width - 4}" y="${middle + 4}">${renderRatio(ratio.median)}</text>`,
  ].join("");
}

export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
