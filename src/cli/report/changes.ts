import type { BuildResult, Comparison } from "../../pipeline/pipeline.ts";
import { renderSize } from "../../units.ts";
import { countColumns, joinVisible, show, type Style, type Visible } from "../../visible.ts";
import type { CliIo } from "../io.ts";
import type { ShownLayers } from "../request/report-request.ts";
import { type ChangeRow, describeSame, listAll, listChanges, sumSame } from "./change-rows.ts";
import { cutText } from "./cut.ts";
import { type Cell, type Column, renderTable } from "./table.ts";
import { countLayers } from "./text.ts";

/** Of each kind so many layers are listed. */
const mostRows = 20;

/** A table of what became of an image's layers; nothing where nothing is compared. */
export function renderChanges(
  { layers, upToDate, comparison }: Pick<BuildResult, "layers" | "upToDate" | "comparison">,
  shown: ShownLayers,
  io: CliIo,
): Visible {
  if (shown === "all") return renderRows([{ rows: listAll(layers, comparison) }], [], io);
  if (comparison === undefined || upToDate || shown === "none") return show``;
  const kinds = listChanges(comparison, mostRows);
  const groups = kinds.map(({ rows, more }): RowGroup => {
    const [first] = rows;
    if (first === undefined || more.layers === 0) return { rows };
    const text = spanning(`${more.layers} smaller (--layers=all)`);
    return { rows, rest: [paint(first.status), renderSize(more.size), text] };
  });
  return renderRows(groups, describeKept(comparison), io);
}

/** Layers of a kind, and the row that stands for those that are not listed. */
interface RowGroup {
  readonly rows: readonly ChangeRow[];
  readonly rest?: readonly Cell[];
}

const styles: Readonly<Record<ChangeRow["status"], Style>> = {
  changed: "cyan",
  new: "yellow",
  removed: "red",
  kept: "green",
  equal: "green",
  base: "dim",
};

function paint(status: ChangeRow["status"]): Cell {
  return { text: status, style: styles[status] };
}

function spanning(text: string): Cell {
  return { text, spans: true };
}

function describeKept(comparison: Comparison): readonly (readonly Cell[])[] {
  const { layers, size } = sumSame(comparison);
  if (layers === 0) return [];
  const status = comparison.previous === undefined ? "base" : "kept";
  const how = describeSame(comparison);
  const isSaid = how === `${layers} ${status}`;
  const text = isSaid ? countLayers(layers) : `${countLayers(layers)} (${how})`;
  return [[paint(status), renderSize(size), spanning(text)]];
}

function renderRows(
  groups: readonly RowGroup[],
  last: readonly (readonly Cell[])[],
  io: CliIo,
): Visible {
  const rows = groups.flatMap((one) => one.rows);
  const fitted = fitRows(rows, io);
  const hasReplaced = rows.some(({ replaces }) => replaces !== undefined);
  const columns: readonly Column[] = [
    { title: "STATUS" },
    { title: "SIZE", right: true },
    { title: "LAYER" },
    ...(hasReplaced ? [{ title: replacesTitle }] : []),
  ];
  const rest = new Map(groups.map((one) => [one.rows.at(-1), one.rest]));
  const cells = fitted.flatMap((row, at) => {
    const behind = rest.get(rows[at]);
    return renderRow(row, hasReplaced).concat(behind === undefined ? [] : [behind]);
  });
  return joinVisible([renderTable(io, columns, [...cells, ...last])]);
}

/** Its line, and one for each note. */
function renderRow(row: ChangeRow, hasReplaced: boolean): readonly (readonly Cell[])[] {
  const { status, size, name, replaces = "" } = row;
  const cells = [paint(status), renderSize(size), name];
  const notes = row.notes.map((note): readonly Cell[] => ["", "", spanning(`  ${note}`)]);
  return [hasReplaced ? [...cells, replaces] : cells, ...notes];
}

/** Columns before the names: the longest status, a size such as `12.3 MB`, and what is between them. */
const namesStart = "changed".length + "12.3 MB".length + 4;
const replacesTitle = "REPLACES";

/** Names take no more than a line of the terminal has; elsewhere they are whole. */
function fitRows(rows: readonly ChangeRow[], io: CliIo): readonly ChangeRow[] {
  const width = io.terminal ? io.columns?.() : undefined;
  if (width === undefined) return rows;
  const room = Math.max(width - namesStart, 24);
  const longest = (texts: readonly string[]): number =>
    texts.reduce((most, text) => Math.max(most, countColumns(cutText(text, room))), 0);
  const before = rows.flatMap(({ replaces }) => replaces ?? []);
  const replaced = before.length === 0 ? 0 : longest([replacesTitle, ...before]);
  const half = Math.floor((room - 2) / 2);
  const left = replaced === 0 ? room : Math.max(half, room - 2 - replaced);
  const names = Math.min(longest(rows.map(({ name }) => name)), left);
  return rows.map(({ replaces, ...row }) => ({
    ...row,
    name: cutText(row.name, names),
    ...(replaces === undefined ? {} : { replaces: cutText(replaces, room - 2 - names) }),
    notes: row.notes.map((note) => cutText(note, room - 2)),
  }));
}
