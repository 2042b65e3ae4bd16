import {
  countColumns,
  joinVisible,
  paintText,
  showText,
  type Style,
  type Visible,
} from "../../visible.ts";
import type { CliIo } from "../io.ts";

export interface Column {
  readonly title: string;
  /** Numbers stand at the right. */
  readonly right?: boolean;
}

/**
 * A text of any origin, or one in a colour. One that `spans` is the last of its row: it stands over the columns behind it, and makes
 * none of them wider.
 */
export type Cell =
  | string
  | { readonly text: string; readonly style?: Style; readonly spans?: boolean };

/** A table for people: a bold head, columns two blanks apart, nothing behind the last. */
export function renderTable(
  io: Pick<CliIo, "color">,
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
): Visible {
  const texts = rows.map((row) => row.map((cell) => showText(textOf(cell))));
  const widths = columns.map(({ title }, index) =>
    texts.reduce(
      (most, row, at) =>
        isSpanning(rows[at]?.[index])
          ? most
          : Math.max(most, Math.min(countColumns(row[index] ?? ""), widest)),
      title.length,
    ),
  );
  const pad = (row: readonly string[]): readonly string[] =>
    trimRow(row.map((text, index) => padText(text, widths[index] ?? 0, columns[index])));
  const head = paintText(io, "bold", pad(columns.map(({ title }) => title)).join(gap));
  const lines = texts.map((row, index) => paintRow(io, pad(row), rows[index] ?? []));
  return joinVisible([head, ...lines, ""], "\n");
}

const gap = "  ";

/** Columns; what is longer takes what it needs, and the others are not padded to that. */
const widest = 120;

function textOf(cell: Cell): string {
  return typeof cell === "string" ? cell : cell.text;
}

function isSpanning(cell: Cell | undefined): boolean {
  return typeof cell === "object" && cell.spans === true;
}

function padText(text: string, width: number, column: Column | undefined): string {
  const padding = " ".repeat(Math.max(width - countColumns(text), 0));
  return column?.right === true ? `${padding}${text}` : `${text}${padding}`;
}

function trimRow(texts: readonly string[]): readonly string[] {
  const last = texts.findLastIndex((text) => text.trim() !== "");
  return texts.slice(0, last + 1).map((text, index) => (index === last ? text.trimEnd() : text));
}

function paintRow(
  io: Pick<CliIo, "color">,
  texts: readonly string[],
  cells: readonly Cell[],
): Visible {
  const parts = texts.map((text, index) => {
    const cell = cells[index];
    return typeof cell === "object" && cell.style !== undefined
      ? paintText(io, cell.style, text)
      : text;
  });
  return joinVisible(parts, gap);
}
