import {
  type Containerfile,
  encodeText,
  findArguments,
  type HeredocStep,
  type Instruction,
  type SourceText,
} from "../../containerfile/containerfile.ts";
import { digestBytes } from "../../oci/oci.ts";
import type { Edit, ShellStep } from "../../plan/plan.ts";
import { documentsContext } from "./run-names.ts";

/** A file that a call needs beside its Containerfile. */
export interface CallDocument {
  /** Relative to the directory of these files. */
  readonly path: string;
  readonly content: SourceText;
  readonly mode: number;
}

/** An instruction with heredocs, said without them. */
export interface LoweredHeredoc {
  readonly edit: Edit;
  readonly documents: readonly CallDocument[];
  /** How engines name the step. */
  readonly names: readonly string[];
}

export type LoweredHeredocs = ReadonlyMap<Instruction, LoweredHeredoc>;

/**
 * Instructions with heredocs as all engines know them: a script is the last argument of the shell; a program and what
 * COPY and ADD bring are files of a context of ours. The same text for all versions, so that all do the same; lines stay
 * where they are.
 */
export function lowerHeredocs(
  containerfile: Containerfile,
  steps: ReadonlyMap<Instruction, ShellStep>,
): LoweredHeredocs {
  return new Map(
    [...steps].map(([instruction, one]) => [instruction, lower(containerfile, instruction, one)]),
  );
}

function lower(
  containerfile: Containerfile,
  instruction: Instruction,
  { step, shell }: ShellStep,
): LoweredHeredoc {
  if (step.kind === "copy") return lowerCopy(containerfile, instruction, step);
  const file = { instruction, escape: containerfile.escape, source: containerfile.source };
  const words = shell.map(encodeText);
  if (step.kind === "script") return lowerRun(file, [...words, step.script]);
  const document = placeDocument(step.document, 0o755);
  const target = `/.xbuild-${step.document.name}`;
  const mount = `--mount=type=bind,from=${documentsContext},source=${document.path},target=${target}`;
  return { ...lowerRun({ ...file, mount }, [...words, target]), documents: [document] };
}

interface Run extends Pick<Containerfile, "escape" | "source"> {
  readonly instruction: Instruction;
  /** Of a file that is run. */
  readonly mount?: string;
}

function lowerRun(
  { instruction, mount, ...file }: Run,
  words: readonly SourceText[],
): LoweredHeredoc {
  const flags = [cutFlags(instruction), ...(mount === undefined ? [] : [mount])].join(" ");
  const text = `${mount === undefined ? "" : `${mount} `}${renderJson(words, file.escape)}`;
  return {
    edit: replaceFrom(findArguments(instruction).startOffset, text, { instruction, ...file }),
    documents: [],
    names: [words.join(" "), JSON.stringify(words)].map((args) => `${flags} ${args}`),
  };
}

/** The instruction without its arguments. */
function cutFlags({ text, args }: Instruction): SourceText {
  return text.slice(0, text.lastIndexOf(args)).trim();
}

/** A replacement of an instruction from there to its end, with as many lines at least. */
function replaceFrom(
  offset: number,
  text: SourceText,
  { instruction: { span }, source }: Pick<Run, "instruction" | "source">,
): Edit {
  const lines = source.slice(offset, span.end.offset).split("\n").length;
  const missing = Math.max(0, lines - text.split("\n").length);
  const start = { ...span.start, offset };
  return { span: { start, end: span.end }, text: text + "\n".repeat(missing) };
}

/**
 * A JSON array of words. A line of a word is a line of the file: it begins with the escape of a line end, so that none
 * is taken for a comment or a blank one, and ends in nothing that could be part of the continuation.
 */
function renderJson(words: readonly SourceText[], escape: string): SourceText {
  const texts = words.map((word) => {
    const lines = word.split("\n").map(quoteLine);
    const guarded = lines.map((line, at) => (at === lines.length - 1 ? line : guardEnd(line)));
    return `"${guarded.join(`${escape}\n\\n`)}"`;
  });
  return `[${texts.join(",")}]`;
}

/** What ends a step's name in messages, and what could be taken for a heredoc, stand there as codes. */
function quoteLine(line: SourceText): SourceText {
  const text = JSON.stringify(line).slice(1, -1);
  return text.replaceAll('\\": ', "\\u0022: ").replaceAll("<<", "<\\u003c");
}

function guardEnd(line: SourceText): SourceText {
  return line.replace(/ $/, "\\u0020").replace(/\\\\$/, "\\u005c").replace(/`$/, "\\u0060");
}

/** Flags of COPY and ADD that mean something for a heredoc. */
const copyFlags: ReadonlySet<string> = new Set(["chmod", "chown", "link"]);

/** What stands beside heredocs comes first (BuildKit's `dispatchCopy`), and by an instruction of its own. */
function lowerCopy(
  { source }: Containerfile,
  instruction: Instruction,
  { documents, others, destination }: HeredocStep & { readonly kind: "copy" },
): LoweredHeredoc {
  const placed = documents.map((one) => placeDocument(one, 0o644));
  const paths = placed.map(({ path }) => path);
  const copy = [
    "COPY",
    ...listCopyFlags(instruction, source),
    `--from=${documentsContext}`,
    ...paths,
    destination,
  ].join(" ");
  const file = { instruction, source };
  const beside = [...others, destination].join(" ");
  const edit =
    others.length === 0
      ? replaceFrom(instruction.span.start.offset, copy, file)
      : replaceFrom(findArguments(instruction).startOffset, `${beside}\n${copy}`, file);
  return { edit, documents: placed, names: [copy, `${cutFlags(instruction)} ${beside}`] };
}

function listCopyFlags({ flags }: Instruction, source: SourceText): readonly SourceText[] {
  const kept = flags.filter(({ name }) => copyFlags.has(name));
  const owner = kept.some(({ name }) => name === "chown") ? [] : ["--chown=0:0"];
  const texts = kept.map(({ span }) => source.slice(span.start.offset, span.end.offset));
  return [...texts, ...owner];
}

/** Its content names it, so that another one makes another step of it. */
function placeDocument(
  { name, content }: { readonly name: string; readonly content: SourceText },
  mode: number,
): CallDocument {
  const hash = digestBytes(Buffer.from(content, "latin1")).slice("sha256:".length);
  return { path: `${hash.slice(0, 32)}/${name}`, content, mode };
}
