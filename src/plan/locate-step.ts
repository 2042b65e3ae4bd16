import {
  decodeText,
  type Containerfile,
  type Instruction,
  type SourceText,
} from "../containerfile/containerfile.ts";
import type { Diagnostic } from "../diagnostics.ts";

/**
 * The instruction that an engine's message means by a step's text, as a place in the user's file.
 * Engines print a step joined and with single spaces, or nearly so. Where several instructions have that text it is the
 * first of those that are `run`.
 */
export function locateStep(
  { source, file }: Containerfile,
  { run, names }: RunSteps,
  step: string,
): Pick<Diagnostic, "file" | "span" | "excerpt"> | undefined {
  const wanted = normalise(step);
  const instruction =
    run.find((one) => normalise(decodeText(one.text)) === wanted) ?? findNamed(names, wanted);
  if (instruction === undefined) return undefined;
  const start = instruction.span.start.offset - instruction.span.start.column + 1;
  const end = source.indexOf("\n", start);
  return { file, span: instruction.span, excerpt: source.slice(start, end < 0 ? undefined : end) };
}

export interface RunSteps {
  readonly run: readonly Instruction[];
  /** What those are called that the engine gets in other words. */
  readonly names: readonly StepName[];
}

export interface StepName {
  readonly instruction: Instruction;
  readonly name: SourceText;
}

/** A script has many words, and a message may end within them. */
function findNamed(names: readonly StepName[], wanted: string): Instruction | undefined {
  const normal = names.map(({ instruction, name }) => ({
    instruction,
    name: normalise(decodeText(name)),
  }));
  const found =
    normal.find(({ name }) => name === wanted) ??
    normal.find(({ name }) => wanted !== "" && name.startsWith(wanted));
  return found?.instruction;
}

/**
 * Quotes stand escaped in the message of some versions, and white space is never reliable. Images and stages have other
 * names in what an engine gets.
 */
function normalise(text: string): string {
  return text
    .replace(/\bfrom=[^\s,]+/g, "from=")
    .replace(/\\(?=["\\])/g, "")
    .replace(/\s+/g, " ")
    .trim();
}
