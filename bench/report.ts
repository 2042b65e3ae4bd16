import { medianOf, type Measurement } from "./measure.ts";

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
    against === undefined ? "" : `${(time / against).toPrecision(2)} x`,
    goal,
    renderSize(ours.memory.process),
    renderSize(ours.memory.tree),
    note ?? "",
  ];
}

function renderSeconds(seconds: number): string {
  return `${seconds.toFixed(seconds < 1 ? 3 : seconds < 10 ? 2 : 1)} s`;
}

export function renderSize(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(0)} MB`;
}
