/** A place in a text. `offset` counts bytes from 0, `line` from 1, `column` bytes from 1. */
export interface Position {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

/** A stretch of a text; `end` is the first position that no longer belongs to it. */
export interface Span {
  readonly start: Position;
  readonly end: Position;
}

export type Severity = "error" | "warning";

/** One finding: what is wrong, where, and what to do. */
export interface Diagnostic {
  /** Stable, kebab-case: an error code or a rule's code. */
  readonly code: string;
  readonly severity: Severity;
  /** What is wrong, without a trailing full stop. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  /** The file as the user named it (or as the build names it, for files of its output). */
  readonly file?: string;
  readonly span?: Span;
  /** The line that the span begins in, one character a byte: a snippet needs no source then. */
  readonly excerpt?: string;
}

export interface RenderOptions {
  /** The text that spans refer to, one character a byte (latin1) as the parser reads it. */
  readonly source?: string;
  /** ANSI colours. */
  readonly color?: boolean;
}

/**
 * A finding as a person reads it: `file:line:column: error[code]: message`, the line with what is
 * meant underlined where its text is known, and the hint. No line end at the end. Columns count bytes.
 */
export function renderDiagnostic(diagnostic: Diagnostic, options: RenderOptions = {}): string {
  const paint = options.color === true ? paintAnsi : (_: Style, text: string) => text;
  const { severity, code, message, hint } = diagnostic;
  const style = severity === "error" ? "red" : "yellow";
  const label = paint(style, `${severity}[${code}]`);
  const lines = [`${renderPlace(diagnostic)}${label}: ${paint("bold", message)}`];
  const text = diagnostic.excerpt ?? findLine(diagnostic.span, options.source);
  if (diagnostic.span !== undefined && text !== undefined) {
    lines.push(...renderSnippet(diagnostic.span, text, (mark) => paint(style, mark)));
  }
  if (hint !== undefined) lines.push(`  ${paint("cyan", "hint")}: ${hint}`);
  return lines.join("\n");
}

type Style = "bold" | "cyan" | "red" | "yellow";

function paintAnsi(style: Style, text: string): string {
  const code = { bold: 1, red: 31, yellow: 33, cyan: 36 }[style];
  return `\u001b[${code}m${text}\u001b[0m`;
}

function renderPlace({ file, span }: Diagnostic): string {
  const place = span === undefined ? [] : [span.start.line, span.start.column];
  const parts = [...(file === undefined ? [] : [file]), ...place];
  return parts.length === 0 ? "" : `${parts.join(":")}: `;
}

function findLine(span: Span | undefined, source: string | undefined): string | undefined {
  if (span === undefined || source === undefined) return undefined;
  const start = span.start.offset - span.start.column + 1;
  const end = source.indexOf("\n", start);
  return source.slice(start, end === -1 ? undefined : end);
}

/** No terminal is that wide; a line of 60,000 bytes would bury the message. In bytes. */
const maxWidth = 160;

function renderSnippet(span: Span, line: string, paint: (mark: string) => string): string[] {
  const number = String(span.start.line);
  const gutter = " ".repeat(number.length);
  const column = span.start.column - 1;
  // A long line is shown from a little before the place.
  const from = column > maxWidth - 40 ? column - 40 : 0;
  const isOneLine = span.end.line === span.start.line;
  const end = isOneLine ? span.end.column - 1 : line.trimEnd().length;
  const shown = line.slice(from, from + maxWidth);
  const before = toVisible(shown.slice(0, column - from));
  const marked = toVisible(shown.slice(column - from, Math.max(column - from, end - from)));
  const carets = "^".repeat(Math.max(1, countColumns(marked)));
  const padding = before.replaceAll(/[^\t]/gu, (character) => " ".repeat(countColumns(character)));
  return [` ${number} | ${toVisible(shown.trimEnd())}`, ` ${gutter} | ${padding}${paint(carets)}`];
}

/** Bytes as text; control characters, which would act on a terminal, as a replacement character. */
function toVisible(bytes: string): string {
  const text = Buffer.from(bytes, "latin1").toString("utf8");
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g, "\ufffd");
}

/** How many columns a terminal gives the text: wide East Asian letters take two, marks none. */
function countColumns(text: string): number {
  let columns = 0;
  for (const character of text) {
    if (/^\p{M}$/u.test(character)) continue;
    const isWide =
      /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]$/.test(
        character,
      );
    columns += isWide || /^\p{Emoji_Presentation}$/u.test(character) ? 2 : 1;
  }
  return columns;
}
