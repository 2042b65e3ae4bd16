import { medianOf, type Measurement, type Moved } from "./measure.ts";

export interface Row {
  readonly workload: string;
  readonly what: string;
  readonly ours: Measurement;
  readonly peer: Measurement | undefined;
  /** In the words of the design page. */
  readonly goal: string;
  readonly note?: string;
}

const columns = ["", "workload", "ours", "peer", "ratio", "goal", "memory", "of all", "note"];

/** The rows as a Markdown table: medians, the ratio of them, and peak memory of our process and of all below it. */
export function renderTable(rows: readonly Row[]): string {
  const lines = [columns, columns.map(() => "---"), ...rows.map(renderRow)];
  return lines.map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

/** What is stored: every figure, with the medians that the table shows. */
export function renderJson(rows: readonly Row[], machine: unknown): string {
  const results = rows.map((row) => ({
    ...row,
    median: {
      ours: medianOf(row.ours.seconds),
      peer: row.peer === undefined ? null : medianOf(row.peer.seconds),
    },
  }));
  return `${JSON.stringify({ machine, results }, undefined, 2)}\n`;
}

function renderRow({ workload, what, ours, peer, goal, note }: Row): readonly string[] {
  const time = medianOf(ours.seconds);
  const against = peer === undefined ? undefined : medianOf(peer.seconds);
  return [
    workload,
    what,
    renderSeconds(time),
    against === undefined ? "" : renderSeconds(against),
    against === undefined ? "" : renderRatio(time / against),
    goal,
    renderSize(ours.memory.process),
    renderSize(ours.memory.tree),
    [note ?? "", ...renderMoved(ours, peer)].filter((part) => part !== "").join("; "),
  ];
}

/** Bytes; an answer without content is no measure for anything. */
const comparable = 1000;

/** What went over the network on either side, and by how much ours is less. */
function renderMoved(ours: Measurement, peer: Measurement | undefined): readonly string[] {
  if (ours.moved.length === 0) return [];
  const [own, theirs] = [medianMoved(ours), peer && medianMoved(peer)];
  const text = renderUpDown(own);
  if (theirs === undefined) return [text];
  const ratios = (["up", "down"] as const)
    .filter((way) => theirs[way] >= comparable)
    .map((way) => `${way} ${renderRatio(own[way] / theirs[way])}`);
  return [text, `peer ${renderUpDown(theirs)}`, ratios.join(", ")];
}

function medianMoved({ moved }: Measurement): Moved {
  return { up: medianOf(moved.map(({ up }) => up)), down: medianOf(moved.map(({ down }) => down)) };
}

function renderUpDown({ up, down }: Moved): string {
  return `up ${renderSize(up)}, down ${renderSize(down)}`;
}

function renderRatio(ratio: number): string {
  return `${ratio < 10 ? ratio.toPrecision(2) : Math.round(ratio)} x`;
}

function renderSeconds(seconds: number): string {
  return `${seconds.toFixed(seconds < 1 ? 3 : seconds < 10 ? 2 : 1)} s`;
}

export function renderSize(bytes: number): string {
  return bytes < 1e6
    ? `${(bytes / 1e3).toFixed(1)} kB`
    : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
