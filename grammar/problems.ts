import { findHeredocs, type HeredocMark } from "./heredocs.ts";
import type { LineGroup, LineState } from "./lines.ts";
import type { SyntaxProblem } from "./model.ts";
import { decodeBytes, trimLineEnd } from "./text.ts";

/** BuildKit reads lines into a buffer of 65,536 bytes that must hold the newline as well. */
const maxLineLength = 65_535;

/** What BuildKit's line reader refuses or warns of, in the order of the file. */
export function findProblems(source: string, groups: readonly LineGroup[]): SyntaxProblem[] {
  const problems = groups.flatMap(({ lines }) => [
    ...lines.flatMap((line) => findLineProblems(source, line)),
    ...findBlankContinuations(source, lines),
    ...findUnterminated(source, lines),
  ]);
  if (groups.some(({ kind }) => kind === "instruction")) return problems;
  return [
    ...problems,
    {
      code: "no-instructions",
      message: "the file has no instructions",
      hint: "start with a FROM instruction",
      start: 0,
      end: 0,
    },
  ];
}

function findLineProblems(source: string, line: LineState): SyntaxProblem[] {
  const problems: SyntaxProblem[] = [];
  const place = { start: line.contentStart, end: contentEnd(source, line) };
  if (line.directiveProblem !== undefined) problems.push({ ...line.directiveProblem, ...place });
  const length = line.end - line.start - (source[line.end - 1] === "\n" ? 1 : 0);
  if (length > maxLineLength) {
    problems.push({
      code: "line-too-long",
      message: `the line has ${length} bytes, but ${maxLineLength} is the limit`,
      hint: "split it with the escape character, or put the text in a file and COPY it",
      start: line.contentStart,
      end: Math.min(line.contentStart + 1, line.end),
    });
  }
  return problems;
}

function contentEnd(source: string, line: LineState): number {
  return trimLineEnd(source, line.contentStart, line.end);
}

function findBlankContinuations(source: string, lines: readonly LineState[]): SyntaxProblem[] {
  const final = lines.findIndex(({ kind }) => kind === "Final");
  const blank = lines.findIndex(
    ({ kind }, index) => kind === "Blank" && (final === -1 || index < final) && lines.length > 1,
  );
  const line = lines[blank];
  if (line === undefined) return [];
  return [
    {
      code: "continuation-blank-line",
      message: "there is a blank line inside a continued instruction",
      hint: "remove the blank line, or end the line before it without the escape character",
      start: line.start,
      end: contentEnd(source, line),
    },
  ];
}

function findUnterminated(source: string, lines: readonly LineState[]): SyntaxProblem[] {
  const last = lines.findLast(({ kind }) => kind === "Final" || kind === "Continued");
  const open = lines.at(-1)?.heredocs[0] ?? findUnreached(lines);
  if (last === undefined || open === undefined) return [];
  return [
    {
      code: "heredoc-unterminated",
      message: `the heredoc ${decodeBytes(open.name)} is not closed`,
      hint: `end it with a line that contains only ${decodeBytes(open.name)}`,
      start: last.contentStart,
      end: contentEnd(source, last),
    },
  ];
}

/** A heredoc of an instruction that is still continued where the file ends. */
function findUnreached(lines: readonly LineState[]): HeredocMark | undefined {
  const last = lines.at(-1);
  if (last?.text === undefined || lines.some(({ kind }) => kind === "Final")) return undefined;
  return findHeredocs(last.text, last.directives.escape)[0];
}
