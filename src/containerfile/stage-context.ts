import type { RuleCode } from "../codes.ts";
import type { Span } from "../diagnostics.ts";
import { findArguments, type Locator } from "./locate.ts";
import type { Containerfile, Instruction, ResolveOptions, Stage } from "./model.ts";
import type { Place, PlacedDiagnostic } from "./place.ts";
import type { Names } from "./references.ts";
import type { GlobalScope, Scope } from "./scope.ts";

/** What is known while stages are resolved in their order, and what was found. */
export interface StageContext {
  readonly containerfile: Containerfile;
  readonly options: ResolveOptions;
  readonly names: Names;
  readonly globals: GlobalScope;
  readonly locator: Locator;
  readonly diagnostics: PlacedDiagnostic[];
  /** The scope at the end of each stage so far: what FROM that stage begins with. */
  readonly finalScopes: Scope[];
}

/** An instruction, and what holds at its line. */
export interface ScopedInstruction {
  readonly stage: Stage;
  readonly instruction: Instruction;
  /** Before the instruction. */
  readonly scope: Scope;
}

export interface Report {
  readonly code: RuleCode;
  readonly message: string;
  readonly hint: string;
}

/** Reports an error at a flag of the instruction, at its arguments, or at a part of them. */
export function report(
  {
    containerfile,
    locator,
    diagnostics,
  }: Omit<StageContext, "options" | "globals" | "finalScopes">,
  at: Instruction | Place | Pick<Instruction, "span">,
  text: Report,
): undefined {
  const span = findSpan(at, locator);
  const finding = { ...text, severity: "error", file: containerfile.file, span } as const;
  diagnostics.push("part" in at ? { ...finding, place: at } : finding);
  return undefined;
}

function findSpan(at: Instruction | Place | Pick<Instruction, "span">, locator: Locator): Span {
  if ("part" in at) return locator.span(findArguments(at.instruction));
  return "keyword" in at ? locator.span(findArguments(at)) : at.span;
}

export function describeExpansion(word: string, message: string): Report {
  return {
    code: "expansion-invalid",
    message: `${word} cannot be expanded: ${message}`,
    hint: "use a form of the Dockerfile reference, such as ${name:-default}",
  };
}

/** What is wrong with a use of the stage `index` in the stage `user`, if anything is. */
export function describeForward(name: string, index: number, user: number): Report | undefined {
  if (index < user) return undefined;
  const isSelf = index === user;
  return {
    code: "stage-forward-reference",
    message: isSelf ? `the stage ${name} uses itself` : `the stage ${name} comes later in the file`,
    hint: isSelf ? "name another stage" : "move that stage above this one",
  };
}
