import { type ArgumentProblem, readArguments } from "../../grammar/grammar.ts";
import { splitCommand } from "../../grammar/grammar.ts";
import { readContainerfile } from "../../grammar/grammar.ts";
import type { InstructionSyntax, SyntaxProblem } from "../../grammar/grammar.ts";
import { codes } from "../codes.ts";
import type { Diagnostic, Span } from "../diagnostics.ts";
import { createLocator, findArguments, type Locator, toSourceRange } from "./locate.ts";
import type { Containerfile, Flag, Instruction, Stage } from "./model.ts";
import { decodeText, toSourceText } from "./text.ts";

/**
 * Reads a Containerfile by the rules of BuildKit's parser. Never throws: what that parser refuses is
 * a diagnostic of severity error, and reading goes on behind it.
 */
export function parseContainerfile(bytes: Uint8Array, file: string): Containerfile {
  const source = toSourceText(bytes);
  const syntax = readContainerfile(source);
  const locator = createLocator(source);
  const read = syntax.instructions.map((lines) => readInstruction(lines, syntax.escape, locator));
  const instructions = read.map(({ instruction }) => instruction);
  const firstFrom = instructions.findIndex(({ keyword }) => keyword === "FROM");
  const diagnostics = [
    ...syntax.problems.map((problem) => toDiagnostic(problem, file, locator)),
    ...read.flatMap(({ instruction, problem }) =>
      problem === undefined ? [] : [{ ...locateArguments(instruction, locator), ...problem, file }],
    ),
  ];
  return {
    file,
    source,
    escape: syntax.escape,
    preamble: firstFrom === -1 ? instructions : instructions.slice(0, firstFrom),
    stages: firstFrom === -1 ? [] : splitStages(instructions.slice(firstFrom)),
    instructions,
    diagnostics: sortDiagnostics(diagnostics),
  };
}

/** In source order; those without a place come first, equal places keep their order. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.toSorted((a, b) => offsetOf(a) - offsetOf(b));
}

function offsetOf({ span }: Diagnostic): number {
  return span?.start.offset ?? -1;
}

interface ReadInstruction {
  readonly instruction: Instruction;
  readonly problem: ArgumentProblem | undefined;
}

function readInstruction(
  lines: InstructionSyntax,
  escape: string,
  locator: Locator,
): ReadInstruction {
  const command = splitCommand(lines.text, escape);
  const keyword = upperCase(decodeText(command.keyword));
  const { json, problem } = readArguments(keyword, command.args, escape);
  const instruction: Instruction = {
    keyword,
    span: locator.span({ startOffset: lines.start, endOffset: lines.end }),
    endLine: lines.endLine,
    text: lines.text,
    args: command.args,
    flags: command.flags.map((flag) => {
      const range = toSourceRange(lines.pieces, flag.start, flag.end);
      return splitFlag(decodeText(flag.text), locator.span(range));
    }),
    json,
    heredocs: lines.heredocs.map((heredoc) => ({ ...heredoc, name: decodeText(heredoc.name) })),
    pieces: lines.pieces,
  };
  return { instruction, problem };
}

/**
 * BuildKit knows instructions by their lower case, so a letter such as a long s, whose upper case is
 * plain ASCII, makes no keyword.
 */
function upperCase(keyword: string): string {
  return Array.from(keyword, (letter) => {
    const upper = letter.toUpperCase();
    return upper.length === letter.length && (letter <= "z" || upper > "z") ? upper : letter;
  }).join("");
}

function splitFlag(text: string, span: Span): Flag {
  const equals = text.indexOf("=");
  return equals === -1
    ? { name: text.slice(2), value: undefined, span }
    : { name: text.slice(2, equals), value: text.slice(equals + 1), span };
}

function toDiagnostic(problem: SyntaxProblem, file: string, locator: Locator): Diagnostic {
  const { code, message, hint, start, end } = problem;
  const { severity } = codes[code];
  const span = locator.span({ startOffset: start, endOffset: end });
  return { code, severity, message, hint, file, span };
}

function locateArguments(instruction: Instruction, locator: Locator) {
  return { severity: "error", span: locator.span(findArguments(instruction)) } as const;
}

function splitStages(instructions: readonly Instruction[]): Stage[] {
  const starts = instructions.flatMap(({ keyword }, index) => (keyword === "FROM" ? [index] : []));
  return starts.flatMap((start, index) => {
    const from = instructions[start];
    if (from === undefined) return [];
    const inStage = instructions.slice(start + 1, starts[index + 1]);
    const output = inStage.find(({ keyword }) => keyword === "OUTPUT");
    return [{ index, name: readStageName(from), from, instructions: inStage, output }];
  });
}

function readStageName({ args }: Instruction): string | undefined {
  const [, as, name, ...others] = args.split(/[\t\v\f\r ]+/);
  if (as?.toLowerCase() !== "as" || name === undefined || others.length > 0) return undefined;
  return decodeText(name).toLowerCase();
}
