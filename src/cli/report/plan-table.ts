import type { ImagePlan, PlanRow } from "../../pipeline/pipeline.ts";
import { renderSize } from "../../units.ts";
import { cutColumns, joinVisible, show, showText, type Visible } from "../../visible.ts";
import type { CliIo } from "../io.ts";
import { type Cell, type Column, renderTable } from "./table.ts";

const columns: readonly Column[] = [
  { title: "LAYER", right: true },
  { title: "SIZE", right: true },
  { title: "CHANGES A MONTH", right: true },
  { title: "BYTES A MONTH", right: true },
  { title: "PACKAGES", right: true },
  { title: "NAMES" },
];

/** What the columns before the names take, at most. */
const before = 64;
/** Where nobody says how wide the terminal is. */
const usual = 120;

/** A line for each layer, from the lowest, and what they come to. */
export function renderPlan({ rows, source }: ImagePlan, io: CliIo): Visible {
  const width = Math.max((io.columns?.() ?? usual) - before, 20);
  const lines = rows.map((row, index): readonly Cell[] => [
    String(index + 1),
    ...renderNumbers(row),
    { text: cutColumns(showText(row.packages.join(" ")), width), spans: true },
  ]);
  return joinVisible([
    renderTable(io, columns, [...lines, ["total", ...renderNumbers(sumRows(rows))]]),
    show`${origins[source]}\n`,
  ]);
}

const origins: Readonly<Record<ImagePlan["source"], string>> = {
  recorded: "as its build expected",
  history: "as its history tells",
  none: "no history is known: name earlier images with --history",
};

type Numbers = Omit<PlanRow, "digest">;

function renderNumbers({
  size,
  changesPerMonth,
  bytesPerMonth,
  packages,
}: Numbers): readonly string[] {
  return [
    renderSize(size),
    changesPerMonth === undefined ? "-" : changesPerMonth.toFixed(2),
    bytesPerMonth === undefined ? "-" : renderSize(bytesPerMonth),
    String(packages.length),
  ];
}

function sumRows(rows: readonly PlanRow[]): Numbers {
  return {
    size: sumKnown(rows.map(({ size }) => size)) ?? 0,
    changesPerMonth: sumKnown(rows.map(({ changesPerMonth }) => changesPerMonth)),
    bytesPerMonth: sumKnown(rows.map(({ bytesPerMonth }) => bytesPerMonth)),
    packages: rows.flatMap(({ packages }) => packages),
  };
}

/** Of what is not known nothing is added; undefined where nothing is known. */
function sumKnown(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((one) => one !== undefined);
  return known.length === 0 ? undefined : known.reduce((all, one) => all + one, 0);
}
