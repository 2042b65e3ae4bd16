import type { Busy } from "./busy.ts";
import {
  renderMoved,
  renderRatio,
  renderSeconds,
  renderSize,
  renderSpread,
  spreadOf,
  spreadOfRatios,
} from "./format.ts";
import { medianOf, type Measurement } from "./measure.ts";
import { isCollecting, type Result, type Results, type Row } from "./results.ts";

const columns = ["", "workload", "peer", "ours", "peer's", "ratio", "goal", "memory", "machine"];

/** The results as Markdown: what they were measured on and with, a table, and what is said of single rows. */
export function renderResults({ machine, programs, results }: Results): string {
  const rows = results.flatMap((result) => result.rows.map((row) => renderRow(row, result)));
  const lines = [columns, columns.map(() => "---"), ...rows];
  const table = lines.map((cells) => `| ${cells.join(" | ")} |\n`).join("");
  const notes = results.flatMap((result) => result.rows.map((row) => renderNote(row, result)));
  return `${renderPlace(machine)}${renderPlace(programs)}\n${table}${renderList(notes.flat())}`;
}

function renderPlace(facts: Readonly<Record<string, string | number>>): string {
  const words = Object.entries(facts).map(([name, value]) => `${name} ${value}`);
  return words.length === 0 ? "" : `${words.join(", ")}.\n`;
}

function renderList(lines: readonly string[]): string {
  return lines.length === 0 ? "" : `\n${lines.map((line) => `- ${line}\n`).join("")}`;
}

/** Medians and spread; the memory of our process, and with all that it starts. */
function renderRow({ what, ours, peer, goal }: Row, { letter, busy }: Result): readonly string[] {
  const { process, tree } = ours.memory;
  return [
    letter,
    what,
    peer?.name ?? "",
    renderSpread(spreadOf(ours.seconds), renderSeconds),
    peer === undefined ? "" : renderSpread(spreadOf(peer.seconds), renderSeconds),
    peer === undefined ? "" : renderMarked(ours, peer, goal),
    goal,
    process === 0 ? "" : `${renderSize(process)}, ${renderSize(tree)}`,
    renderBusy(busy),
  ];
}

/** Bold where a goal for the ratio is met. */
function renderMarked(ours: Measurement, peer: Measurement, goal: string): string {
  const ratio = spreadOfRatios(ours, peer);
  const most = /^(?<most>[\d.]+) x/.exec(goal)?.groups?.["most"];
  const text = renderSpread(ratio, renderRatio);
  return most !== undefined && ratio.median <= Number(most) ? `**${text}**` : text;
}

function renderBusy({ loadBefore, loadAfter, idle }: Busy): string {
  const load = `load ${loadBefore.toFixed(1)} to ${loadAfter.toFixed(1)}`;
  return idle === undefined ? load : `${load}, ${Math.round(idle * 100)} % idle`;
}

/** What has no column of its own. */
function renderNote({ what, ours, peer, note }: Row, { letter, name }: Result): readonly string[] {
  const cores = isCollecting(name) ? [renderCores(ours, peer)] : [];
  const parts = [note ?? "", ...renderMoved(ours, peer), ...cores].filter((part) => part !== "");
  return parts.length === 0 ? [] : [`${letter}, ${what}${sayPeer(peer)}: ${parts.join("; ")}.`];
}

function sayPeer(peer: Measurement | undefined): string {
  return peer === undefined ? "" : `, against ${peer.name}`;
}

/** How many cores each side kept busy. */
function renderCores(ours: Measurement, peer: Measurement | undefined): string {
  const own = `${countCores(ours)} cores used`;
  return peer === undefined ? own : `${own}, by the peer ${countCores(peer)}`;
}

function countCores({ cpu, seconds }: Measurement): string {
  return medianOf(cpu.map((one, round) => one / (seconds[round] ?? Number.NaN))).toFixed(2);
}
