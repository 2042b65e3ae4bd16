import type { DirectiveProblem } from "./directives.ts";
import type { HeredocMark } from "./heredocs.ts";

/** A part of a logical line and where it stands in the file; both offsets count bytes. */
export interface TextPiece {
  readonly text: number;
  readonly source: number;
}

export interface HeredocSyntax extends HeredocMark {
  /** Its lines with their ends, as they stand in the file. */
  readonly body: string;
}

/** One instruction's lines. Offsets are bytes of the file, lines count from 1. */
export interface InstructionSyntax {
  readonly start: number;
  /** Behind its last line, without that line's end. */
  readonly end: number;
  readonly startLine: number;
  readonly endLine: number;
  /** Continuations joined, comments and blank lines among them left out. */
  readonly text: string;
  readonly pieces: readonly TextPiece[];
  readonly heredocs: readonly HeredocSyntax[];
}

export interface SyntaxProblem {
  readonly code:
    | DirectiveProblem["code"]
    | "heredoc-unterminated"
    | "line-too-long"
    | "continuation-blank-line"
    | "no-instructions";
  readonly message: string;
  readonly hint: string;
  readonly start: number;
  readonly end: number;
}

/** A stretch of whole lines; together they cover the file without gap or overlap. */
export interface Segment {
  readonly kind: "directive" | "comment" | "blank" | "instruction";
  readonly start: number;
  readonly end: number;
}

export interface ContainerfileSyntax {
  readonly escape: "\\" | "`";
  readonly instructions: readonly InstructionSyntax[];
  readonly segments: readonly Segment[];
  readonly problems: readonly SyntaxProblem[];
}
