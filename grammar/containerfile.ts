import { EmbeddedActionsParser, type IToken, type Lexer } from "chevrotain";

import type { LineGroup, LineState } from "./lines.ts";
import type { ContainerfileSyntax, InstructionSyntax } from "./model.ts";
import { findProblems } from "./problems.ts";
import { trimLineEnd } from "./text.ts";
import { createLineLexer, lineOf, lineTokens, type ValidationOptions } from "./tokens.ts";

/** The grammar of a Containerfile: which physical lines make an instruction. */
export class ContainerfileParser extends EmbeddedActionsParser {
  constructor({ skipValidations = true }: ValidationOptions = {}) {
    super(Object.values(lineTokens), { maxLookahead: 1, skipValidations });
    this.performSelfAnalysis();
  }

  readonly containerfile = this.RULE("containerfile", (): LineGroup[] => {
    const groups: LineGroup[] = [];
    this.MANY(() => {
      groups.push(
        this.OR([
          { ALT: () => toGroup("directive", this.CONSUME(lineTokens.Directive)) },
          { ALT: () => toGroup("comment", this.CONSUME(lineTokens.Comment)) },
          { ALT: () => toGroup("blank", this.CONSUME(lineTokens.Blank)) },
          { ALT: () => this.SUBRULE(this.instruction) },
        ]),
      );
    });
    return groups;
  });

  readonly instruction = this.RULE("instruction", (): LineGroup => {
    const tokens: IToken[] = [];
    this.OR([
      { ALT: () => tokens.push(this.CONSUME(lineTokens.Final)) },
      { ALT: () => this.SUBRULE(this.continuedLines, { ARGS: [tokens] }) },
    ]);
    this.MANY(() => this.SUBRULE(this.heredoc, { ARGS: [tokens] }));
    return this.ACTION(() => ({
      kind: "instruction",
      lines: tokens.map((token) => lineOf(token)),
    }));
  });

  private readonly continuedLines = this.RULE("continuedLines", (tokens: IToken[] = []) => {
    tokens.push(this.CONSUME(lineTokens.Continued));
    this.MANY(() => {
      this.OR([
        { ALT: () => tokens.push(this.CONSUME2(lineTokens.Continued)) },
        { ALT: () => tokens.push(this.CONSUME(lineTokens.Comment)) },
        { ALT: () => tokens.push(this.CONSUME(lineTokens.Blank)) },
      ]);
    });
    this.OPTION(() => tokens.push(this.CONSUME(lineTokens.Final)));
  });

  private readonly heredoc = this.RULE("heredoc", (tokens: IToken[] = []) => {
    this.OR([
      {
        ALT: () => {
          this.AT_LEAST_ONE(() => tokens.push(this.CONSUME(lineTokens.HeredocLine)));
          this.OPTION(() => tokens.push(this.CONSUME(lineTokens.HeredocEnd)));
        },
      },
      { ALT: () => tokens.push(this.CONSUME2(lineTokens.HeredocEnd)) },
    ]);
  });
}

function toGroup(kind: LineGroup["kind"], token: IToken): LineGroup {
  return { kind, lines: token.payload === undefined ? [] : [lineOf(token)] };
}

let tools: { readonly lexer: Lexer; readonly parser: ContainerfileParser } | undefined;

/** Splits a file as BuildKit's parser does (frontend/dockerfile/parser). Never throws. */
export function readContainerfile(source: string): ContainerfileSyntax {
  tools ??= { lexer: createLineLexer(), parser: new ContainerfileParser() };
  const { tokens } = tools.lexer.tokenize(source);
  tools.parser.input = tokens;
  const groups = tools.parser.containerfile();
  return {
    escape: groups.at(-1)?.lines.at(-1)?.directives.escape ?? "\\",
    instructions: toInstructions(source, groups),
    segments: groups.map((group) => ({ kind: group.kind, ...extentOf(group.lines) })),
    problems: findProblems(source, groups),
  };
}

function extentOf(lines: readonly LineState[]): { start: number; end: number } {
  return { start: lines[0]?.start ?? 0, end: lines.at(-1)?.end ?? 0 };
}

function toInstructions(source: string, groups: readonly LineGroup[]): InstructionSyntax[] {
  const instructions: InstructionSyntax[] = [];
  let lineNumber = 1;
  for (const { kind, lines } of groups) {
    if (kind === "instruction") instructions.push(toInstruction(source, lines, lineNumber));
    lineNumber += lines.length;
  }
  return instructions;
}

function toInstruction(
  source: string,
  lines: readonly LineState[],
  startLine: number,
): InstructionSyntax {
  const parts = lines.filter(({ kind }) => kind === "Continued" || kind === "Final");
  const { end } = extentOf(lines);
  return {
    start: parts[0]?.contentStart ?? 0,
    end: trimLineEnd(source, lines.at(-1)?.start ?? 0, end),
    startLine,
    endLine: startLine + lines.length - 1,
    text: parts.at(-1)?.text ?? "",
    pieces: toPieces(parts),
    heredocs: toHeredocs(source, lines),
  };
}

function toPieces(parts: readonly LineState[]): { text: number; source: number }[] {
  let text = 0;
  return parts.map(({ content, contentStart }) => {
    const piece = { text, source: contentStart };
    text += content.length;
    return piece;
  });
}

function toHeredocs(source: string, lines: readonly LineState[]): InstructionSyntax["heredocs"] {
  const final = lines.find(({ kind }) => kind === "Final");
  let at = final?.end ?? 0;
  const body = lines.filter(({ kind }) => kind === "HeredocLine" || kind === "HeredocEnd");
  const ends = body.filter(({ kind }) => kind === "HeredocEnd");
  return (final?.heredocs ?? []).map((mark, index) => {
    const end = ends[index];
    const text = source.slice(at, end?.start ?? body.at(-1)?.end ?? at);
    at = end?.end ?? body.at(-1)?.end ?? at;
    const { name, expand, chomp, fileDescriptor } = mark;
    return { name, expand, chomp, fileDescriptor, body: text };
  });
}
