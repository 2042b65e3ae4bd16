import { type Code, codes } from "../../codes.ts";
import { decodeText, rules } from "../../containerfile/containerfile.ts";
import { type Diagnostic, type Position, showDiagnostic } from "../../diagnostics.ts";
import { joinVisible, show, showJson, showText, type Visible } from "../../visible.ts";
import type { CliIo } from "../io.ts";
import { createPages, locatePage } from "../pages.ts";

export interface Report {
  readonly diagnostics: readonly Diagnostic[];
  /** The file that was checked, one character a byte. */
  readonly source: string;
  readonly io: Pick<CliIo, "color" | "packageUrl">;
}

const formats: Readonly<Record<string, (report: Report) => Visible>> = {
  text: renderText,
  json: renderJson,
  sarif: renderSarif,
  github: renderGithub,
};

export const formatNames: readonly string[] = Object.keys(formats);

export function findFormat(name: string): ((report: Report) => Visible) | undefined {
  return Object.hasOwn(formats, name) ? formats[name] : undefined;
}

function renderText({ diagnostics, source, io }: Report): Visible {
  if (diagnostics.length === 0) return show``;
  const options = { source, color: io.color, page: createPages(io) };
  const findings = diagnostics.map((one) => show`${showDiagnostic(one, options)}\n\n`);
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  const counts = [count(errors, "error"), count(diagnostics.length - errors, "warning")];
  return show`${joinVisible(findings)}${counts.filter((text) => text !== "").join(", ")}\n`;
}

function count(number: number, noun: string): string {
  if (number === 0) return "";
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** Lines and columns from 1; columns count bytes, `endColumn` is behind the last. */
function renderJson({ diagnostics, io }: Report): Visible {
  const findings = diagnostics.map(({ code, severity, message, hint, file, span }) => ({
    code,
    severity,
    message,
    hint,
    file,
    line: span?.start.line,
    column: span?.start.column,
    endLine: span?.end.line,
    endColumn: span?.end.column,
    page: locatePage(code, io),
  }));
  return showJson({ diagnostics: findings });
}

/** SARIF 2.1.0 (OASIS). Columns count UTF-16 units there. */
function renderSarif(report: Report): Visible {
  const foundCodes = new Set<Code>(report.diagnostics.map(({ code }) => code));
  const driver = {
    name: "xbuild",
    rules: rules
      .filter(({ code }) => foundCodes.has(code))
      .map(({ code, summary }) => ({
        id: code,
        shortDescription: { text: summary },
        helpUri: locatePage(code, report.io),
        defaultConfiguration: { level: codes[code].severity },
      })),
  };
  const results = report.diagnostics.map((one) => toSarif(one, report.source));
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [{ tool: { driver }, columnKind: "utf16CodeUnits", results }],
  };
  return showJson(log);
}

function toSarif({ code, severity, message, hint, file, span }: Diagnostic, source: string) {
  const text = hint === undefined ? message : `${message}\n${hint}`;
  const region = span && {
    startLine: span.start.line,
    startColumn: toTextColumn(span.start, source),
    endLine: span.end.line,
    endColumn: toTextColumn(span.end, source),
    byteOffset: span.start.offset,
    byteLength: span.end.offset - span.start.offset,
  };
  const physicalLocation = { artifactLocation: { uri: toUri(file ?? "") }, region };
  return { ruleId: code, level: severity, message: { text }, locations: [{ physicalLocation }] };
}

/** A path as a relative reference; RFC 3986, section 4.2. */
function toUri(path: string): string {
  const text = path.replaceAll(/\p{Cs}/gu, "\ufffd");
  return text.split("/").map(encodeURIComponent).join("/");
}

/** A column of bytes as one of UTF-16 units, from 1. */
function toTextColumn({ offset, column }: Position, source: string): number {
  return decodeText(source.slice(offset - column + 1, offset)).length + 1;
}

/** Workflow commands of GitHub Actions, which show a finding beside its line. */
function renderGithub({ diagnostics, source }: Report): Visible {
  return joinVisible(
    diagnostics.map(({ code, severity, message, hint, file, span }) => {
      const place = span && [
        `line=${span.start.line}`,
        `endLine=${span.end.line}`,
        `col=${toTextColumn(span.start, source)}`,
        `endColumn=${toTextColumn(span.end, source)}`,
      ];
      const properties = [`file=${escapeProperty(file ?? "")}`, ...(place ?? []), `title=${code}`];
      const text = hint === undefined ? message : `${message}\n${hint}`;
      return show`::${severity} ${properties.join(",")}::${escapeData(text)}\n`;
    }),
  );
}

/** A command is one line, in which `%` begins an escape. */
function escapeData(text: string): string {
  const lines = text.split(/\r?\n/).map((line) => showText(line).replaceAll("%", "%25"));
  return lines.join("%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
