import type { GivenFlag, GivenFlags } from "../line/arguments.ts";
import { listValues, readBoolean, usageError } from "../line/arguments.ts";

/** Which layers the report lists. */
export type ShownLayers = "changes" | "all" | "none";

/** A file that --report asks for. */
export interface WantedReport {
  readonly format: "json" | "markdown";
  /** As it was given; `-` is standard output. */
  readonly path: string;
  /** The flag with its value. */
  readonly what: string;
}

/** Whether it is a --layers of ours: the engines' one is true or false. */
export function isReportFlag({ spec, value }: GivenFlag): boolean {
  return spec.name === "layers" && isShown(value);
}

/** --layers; the last one of ours counts, wherever the engines' stand. Errors: `usage` */
export function readShownLayers(line: GivenFlags): ShownLayers {
  const values = listValues(line, "layers").filter(
    (value) => value !== "" && readBoolean(value) === undefined,
  );
  const wrong = values.find((value) => !isShown(value));
  if (wrong !== undefined)
    throw usageError(
      `--layers cannot be ${wrong}`,
      "use all, changes or none (true and false are the engines', and without effect with OUTPUT)",
    );
  return values.findLast(isShown) ?? "changes";
}

function isShown(value: string): value is ShownLayers {
  return value === "changes" || value === "all" || value === "none";
}

/** --report, as often as it is given. Errors: `usage` */
export function readReports(line: GivenFlags): readonly WantedReport[] {
  const reports = listValues(line, "report").map(parseReport);
  const [, second] = reports.filter(({ path }) => path === "-");
  if (second !== undefined)
    throw usageError(`${second.what}: standard output takes one report`, "name a file for it");
  return reports;
}

const endings: readonly (readonly [ending: string, format: WantedReport["format"]])[] = [
  [".json", "json"],
  [".md", "markdown"],
  [".markdown", "markdown"],
];

function parseReport(value: string): WantedReport {
  const what = `--report ${value}`;
  for (const format of ["json", "markdown"] as const) {
    const prefix = `${format}:`;
    if (!value.startsWith(prefix)) continue;
    const path = value.slice(prefix.length);
    if (path === "") throw usageError(`${what} names no file`, `write --report ${prefix}FILE`);
    return { format, path, what };
  }
  const found = endings.find(([ending]) => value.toLowerCase().endsWith(ending));
  if (found !== undefined) return { format: found[1], path: value, what };
  throw usageError(
    `${what}: it is not clear in which format`,
    "end the file's name in .json or .md, or write json:FILE or markdown:FILE",
  );
}
