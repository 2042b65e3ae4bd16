import { isHeredocMark, readWords, WordError } from "../../grammar/grammar.ts";
import type { Lookup } from "./expand.ts";
import type { Heredoc, Instruction, SourceText } from "./model.ts";
import { decodeText, encodeText } from "./text.ts";

/**
 * What an instruction with heredocs comes to, as BuildKit has it (`dispatchRun`, `dispatchCopy`): of a RUN a script for
 * the shell that SHELL names, or a file that is run; of COPY and ADD files that stand beside the other sources.
 */
export type HeredocStep =
  | { readonly kind: "script"; readonly script: SourceText }
  | { readonly kind: "program"; readonly document: Document }
  | {
      readonly kind: "copy";
      readonly documents: readonly Document[];
      /** Sources that are no heredocs, as written. */
      readonly others: readonly SourceText[];
      /** As written. */
      readonly destination: SourceText;
    };

export interface Document {
  readonly name: string;
  readonly content: SourceText;
}

/** Whether an instruction with heredocs can be said without them. Of ONBUILD it cannot: the trigger is for others. */
export function isHeredocStep(instruction: Instruction): boolean {
  const { keyword, heredocs } = instruction;
  if (heredocs.length === 0) return false;
  return keyword === "RUN" || splitSources(instruction) !== undefined;
}

/**
 * Reads an instruction's heredocs. A RUN's are the shell's to expand; COPY's and ADD's are expanded here, where their
 * words were not quoted. @throws WordError
 */
export function readHeredocStep(instruction: Instruction, lookup: Lookup): HeredocStep | undefined {
  if (!isHeredocStep(instruction)) return undefined;
  return instruction.keyword === "RUN" ? readRun(instruction) : readCopy(instruction, lookup);
}

/** What ONBUILD puts into an image's config: a heredoc's text behind its line (BuildKit's `parseOnBuild`). */
export function readTrigger({ args, heredocs }: Instruction): string {
  return decodeText(args + joinBodies(heredocs));
}

function joinBodies(heredocs: readonly Heredoc[]): SourceText {
  return heredocs.map(({ body, name }) => `\n${body}${encodeText(name)}`).join("");
}

/** The one heredoc that is all of a RUN is the script; else the shell reads them by itself. */
function readRun({ args, heredocs }: Instruction): HeredocStep {
  const [first, ...others] = heredocs;
  if (first === undefined || others.length > 0 || !isHeredocMark(args)) {
    return { kind: "script", script: args + joinBodies(heredocs) };
  }
  const content = stripTabs(first);
  if (!first.body.startsWith("#!")) return { kind: "script", script: content };
  return { kind: "program", document: { name: isPlain(first.name) ? first.name : "EOF", content } };
}

function readCopy(instruction: Instruction, lookup: Lookup): HeredocStep | undefined {
  const sources = splitSources(instruction);
  return (
    sources && {
      kind: "copy",
      ...sources,
      documents: instruction.heredocs.map((one) => ({
        name: one.name,
        content: one.expand ? expandBody(stripTabs(one), lookup) : stripTabs(one),
      })),
    }
  );
}

interface Sources {
  readonly others: readonly SourceText[];
  readonly destination: SourceText;
}

/** undefined where a heredoc is the destination, or has a name that is no file's or that an engine reads otherwise. */
function splitSources({ keyword, args, heredocs }: Instruction): Sources | undefined {
  if (keyword !== "COPY" && keyword !== "ADD") return undefined;
  const words = args.split(/[\t\v\f\r ]+/);
  const destination = words.pop() ?? "";
  const others = words.filter((word) => !isHeredocMark(word));
  const isWhole = words.length - others.length === heredocs.length && !isHeredocMark(destination);
  return isWhole && heredocs.every(({ name }) => isPlain(name))
    ? { others, destination }
    : undefined;
}

/** A file name in which no engine sees a pattern, a variable or two words. */
function isPlain(name: string): boolean {
  return /^[\w+%@=-][\w.+%@=-]*$/.test(name);
}

/** BuildKit's `ChompHeredocContent`. */
function stripTabs({ body, chomp }: Heredoc): SourceText {
  return chomp ? body.replace(/^\t+/gm, "") : body;
}

/**
 * What COPY and ADD make of a heredoc whose word is not quoted: quotes are text, and a backslash, whatever the file's
 * escape character, takes a dollar's meaning (BuildKit's `ExpandRaw`). @throws WordError
 */
function expandBody(body: SourceText, lookup: Lookup): SourceText {
  if (!/[$\\]/.test(body)) return body;
  const options = { escape: "\\", lookup, plainQuotes: true } as const;
  return encodeText(readWords(decodeText(body), options).text);
}

export const bodyHint = "quote the heredoc's word (<<'EOF') where its text is meant as it stands";

export function describeBodyFault(message: string): string {
  return `the heredoc cannot be expanded: ${message}`;
}

/** What is wrong with the bodies of COPY and ADD, whatever the variables are: nothing for most. */
export function findBodyFault({ keyword, heredocs }: Instruction): string | undefined {
  if (keyword !== "COPY" && keyword !== "ADD") return undefined;
  try {
    for (const { body, expand } of heredocs) if (expand) expandBody(body, () => "x");
    return undefined;
  } catch (error) {
    if (error instanceof WordError) return error.message;
    throw error;
  }
}
