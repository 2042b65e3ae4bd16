import type { Code, Severity } from "./codes.ts";
import {
  type Colors,
  countColumns,
  joinVisible,
  paintText,
  show,
  type Showable,
  showLines,
  type Visible,
} from "./visible.ts";

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

/** One finding: what is wrong, where, and what to do. */
export interface Diagnostic {
  readonly code: Code;
  /** How grave it is here: an error that was asked to be ignored is a warning. */
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

export interface RenderOptions extends Colors {
  /** The text that spans refer to, one character a byte (latin1) as the parser reads it. */
  readonly source?: string;
  /** Where the page of a code is, if that is to be said. */
  readonly page?: (code: Code) => string | undefined;
}

/** As `showDiagnostic`, as a text. */
export function renderDiagnostic(diagnostic: Diagnostic, options: RenderOptions = {}): string {
  return showDiagnostic(diagnostic, options).visible;
}

/**
 * A finding as a person reads it: `file:line:column: error[code]: message`, the line with what is
 * meant underlined where its text is known, the hint, and the page. No line end at the end. Columns count bytes.
 */
export function showDiagnostic(diagnostic: Diagnostic, options: RenderOptions = {}): Visible {
  const { severity, code, span } = diagnostic;
  const style = severity === "error" ? "red" : "yellow";
  const head = show`${renderPlace(diagnostic)}${paintText(options, style, `${severity}[${code}]`)}: `;
  const text = diagnostic.excerpt ?? findLine(span, options.source);
  const snippet =
    span === undefined || text === undefined
      ? []
      : showSnippet(span, text, (mark) => paintText(options, style, mark));
  const page = options.page?.(code);
  return showMessage(head, { ...diagnostic, page }, { color: options.color === true, snippet });
}

/** What stands behind a head. */
export interface MessageText extends Pick<Diagnostic, "message" | "hint"> {
  /** Where more is said about it. */
  readonly page?: string | undefined;
}

export interface MessageOptions extends Colors {
  /** Lines between the message and its hint. */
  readonly snippet?: readonly Visible[];
}

/**
 * A message behind its head, its hint and its page. Further lines of the message stand behind a bar: else some text from
 * outside could pass for a line of ours, or for a command to what reads our lines. No line end at the end.
 */
export function showMessage(
  head: Showable,
  { message, hint, page }: MessageText,
  options: MessageOptions = {},
): Visible {
  const { snippet = [] } = options;
  const [first = "", ...more] = message.trimEnd().split(/\r?\n/);
  const lines = [
    show`${head}${paintText(options, "bold", first)}`,
    ...more.map((line) => show`  | ${line}`),
    ...snippet,
    ...(hint === undefined ? [] : [show`  ${paintText(options, "cyan", "hint")}: ${hint}`]),
    ...(page === undefined ? [] : [paintText(options, "dim", `  page: ${page}`)]),
  ];
  return joinVisible(lines, "\n");
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

function showSnippet(
  span: Span,
  line: string,
  paint: (mark: string) => Visible,
): readonly Visible[] {
  const number = String(span.start.line);
  const gutter = " ".repeat(number.length);
  const column = span.start.column - 1;
  // A long line is shown from a little before the place.
  const from = column > maxWidth - 40 ? column - 40 : 0;
  const isOneLine = span.end.line === span.start.line;
  const end = isOneLine ? span.end.column - 1 : line.trimEnd().length;
  const shown = line.slice(from, from + maxWidth).split("\n", 1)[0] ?? "";
  const before = showBytes(shown.slice(0, column - from));
  const marked = showBytes(shown.slice(column - from, Math.max(column - from, end - from)));
  const carets = "^".repeat(Math.max(1, countColumns(marked.visible)));
  const padding = before.visible.replaceAll(/[^\t]+/g, (text) => " ".repeat(countColumns(text)));
  return [
    show` ${number} | ${showBytes(shown.trimEnd())}`,
    joinVisible([` ${gutter} | `, showLines(padding), paint(carets)]),
  ];
}

/** A line held as bytes, as text; its tabs stay, for they stand in the line of the carets too. */
function showBytes(bytes: string): Visible {
  return showLines(Buffer.from(bytes, "latin1").toString("utf8"));
}
