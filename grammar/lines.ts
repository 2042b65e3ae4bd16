import {
  type DirectiveProblem,
  type DirectiveState,
  noDirectives,
  readDirective,
} from "./directives.ts";
import { findHeredocs, type HeredocMark } from "./heredocs.ts";
import { skipSpaces, trimLineEnd } from "./text.ts";

/** What a physical line is. The names of the lexer's tokens. */
export type LineKind =
  | "Directive"
  | "Comment"
  | "Blank"
  | "Continued"
  | "Final"
  | "HeredocLine"
  | "HeredocEnd";

/** One classified physical line, and all that decides what the next one is. */
export interface LineState {
  readonly kind: LineKind;
  readonly start: number;
  /** Behind the line's end. */
  readonly end: number;
  readonly directives: DirectiveState;
  readonly directiveProblem: DirectiveProblem | undefined;
  /** What this line adds to its logical line, and where that begins. */
  readonly content: string;
  readonly contentStart: number;
  /** The logical line up to here, undefined outside of one; complete at Final. */
  readonly text: string | undefined;
  /** The heredocs that are still to be read, the present one first. */
  readonly heredocs: readonly HeredocMark[];
}

/** What the parser makes of them: the lines of one instruction, or one line between instructions. */
export interface LineGroup {
  readonly kind: "directive" | "comment" | "blank" | "instruction";
  readonly lines: readonly LineState[];
}

const byteOrderMark = "\u00ef\u00bb\u00bf";

/** Classifies the line that begins at `offset`, behind `previous`. */
export function readLine(
  source: string,
  offset: number,
  previous: LineState | undefined,
): LineState {
  const newline = source.indexOf("\n", offset);
  const start = offset === 0 && source.startsWith(byteOrderMark) ? byteOrderMark.length : offset;
  const end = newline === -1 ? source.length : newline + 1;
  const isContinuation = previous?.heredocs.length === 0 && previous.kind !== "Final";
  const line: LineState = {
    kind: "Blank",
    start: offset,
    end,
    directives: previous?.directives ?? noDirectives,
    directiveProblem: undefined,
    content: "",
    contentStart: start,
    text: isContinuation ? previous.text : undefined,
    heredocs: [],
  };
  if (previous !== undefined && previous.heredocs.length > 0) {
    return readHeredocLine(source, line, previous.heredocs);
  }
  return line.text === undefined ? readFirst(source, start, line) : readContinuation(source, line);
}

function readHeredocLine(
  source: string,
  line: LineState,
  heredocs: readonly HeredocMark[],
): LineState {
  const [heredoc, ...others] = heredocs;
  const content = source.slice(line.start, trimLineEnd(source, line.start, line.end));
  const candidate = heredoc?.chomp === true ? content.replace(/^\t+/, "") : content;
  return candidate === heredoc?.name
    ? { ...line, kind: "HeredocEnd", heredocs: others }
    : { ...line, kind: "HeredocLine", heredocs };
}

function readFirst(source: string, from: number, line: LineState): LineState {
  const end = trimLineEnd(source, from, line.end);
  const start = skipSpaces(source, from, end);
  const content = source.slice(start, end);
  const { state, directive, problem } = readDirective(content, line.directives);
  if (directive !== undefined) {
    return { ...line, kind: "Directive", directives: state, directiveProblem: problem };
  }
  const here = { ...line, directives: state };
  if (content === "") return here;
  if (content.startsWith("#")) return { ...here, kind: "Comment" };
  return appendLine(content, start, here);
}

function readContinuation(source: string, line: LineState): LineState {
  const end = trimLineEnd(source, line.start, line.end);
  const first = skipSpaces(source, line.start, end);
  if (source[first] === "#" && first < end) return { ...line, kind: "Comment" };
  if (first === end) return line;
  return appendLine(source.slice(line.start, end), line.start, line);
}

/** Adds what begins at `at` to the logical line. */
function appendLine(content: string, at: number, line: LineState): LineState {
  const { escape } = line.directives;
  const kept = stripContinuation(content, escape);
  const text = (line.text ?? "") + (kept ?? content);
  const read = { ...line, content: kept ?? content, contentStart: at, text };
  if (kept !== undefined) return { ...read, kind: "Continued" };
  return { ...read, kind: "Final", heredocs: findHeredocs(text, escape) };
}

/** The line without its continuation mark, or undefined where it has none: `\\` at its end is no mark. */
function stripContinuation(content: string, escape: string): string | undefined {
  let end = content.length;
  while (end > 0 && (content[end - 1] === " " || content[end - 1] === "\t")) end -= 1;
  if (content[end - 1] !== escape || content[end - 2] === escape) return undefined;
  return content.slice(0, end - 1);
}
