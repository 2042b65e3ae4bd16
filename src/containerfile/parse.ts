import {
  readArguments,
  readContainerfile,
  splitInstruction,
  type ArgumentProblem,
  type InstructionSyntax,
  type SyntaxProblem,
} from "../../grammar/grammar.ts";
import { codes } from "../codes.ts";
import type { Diagnostic, Span } from "../diagnostics.ts";
import { createLocator, findArguments, type Locator, toSourceRange } from "./locate.ts";
import type { Containerfile, Flag, Instruction, Stage } from "./model.ts";
import type { PlacedDiagnostic } from "./place.ts";
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
    ...read.flatMap((one) => describeProblem(one, file, locator)),
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
export function sortDiagnostics<One extends Diagnostic>(
  diagnostics: readonly One[],
): readonly One[] {
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
  const { keyword, flags, args, path } = splitInstruction(lines.text, escape);
  const { json, problem } = readArguments(keyword, args, escape);
  const instruction: Instruction = {
    keyword,
    span: locator.span({ startOffset: lines.start, endOffset: lines.end }),
    endLine: lines.endLine,
    text: lines.text,
    args,
    flags: flags.map((flag) => {
      const range = toSourceRange(lines.pieces, flag.start, flag.end);
      return splitFlag(decodeText(flag.text), locator.span(range));
    }),
    json,
    heredocs: lines.heredocs.map((heredoc) => ({ ...heredoc, name: decodeText(heredoc.name) })),
    pieces: lines.pieces,
    ...(path && { path }),
  };
  return { instruction, problem };
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

/** A problem of ONBUILD's trigger is about words that are not ONBUILD's own. */
function describeProblem(
  { instruction, problem }: ReadInstruction,
  file: string,
  locator: Locator,
): PlacedDiagnostic[] {
  if (problem === undefined) return [];
  const { word: index, ...text } = problem;
  const span = locator.span(findArguments(instruction));
  const finding = { ...text, severity: "error", file, span } as const;
  if (index === undefined || instruction.keyword === "ONBUILD") return [finding];
  return [{ ...finding, place: { instruction, part: { kind: "word", index } } }];
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
