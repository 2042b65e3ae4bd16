import { readKeyword, splitCommand } from "./command.ts";
import { readJsonForm } from "./json-form.ts";
import { decodeBytes, encodeBytes } from "./text.ts";
import { WordError, type WordOptions } from "./word-reader.ts";
import { readWords } from "./words.ts";

/** A heredoc's head, as it stands in the instruction: `3<<-"EOF"`. */
export interface HeredocMark {
  /** Its name as bytes: the line that ends it. */
  readonly name: string;
  readonly expand: boolean;
  readonly chomp: boolean;
  readonly fileDescriptor: number;
}

/** The heredocs that a logical line opens, in order. */
export function findHeredocs(line: string, escape: string): readonly HeredocMark[] {
  if (!line.includes("<<") || !canContainHeredocs(line, escape)) return [];
  return splitLine(line).flatMap((word) => readMark(word) ?? []);
}

/** Whether an argument is the head of one heredoc and nothing else. */
export function isHeredocMark(word: string): boolean {
  return readMark(decodeBytes(word)) !== undefined;
}

function canContainHeredocs(line: string, escape: string): boolean {
  const { keyword } = readKeyword(line);
  if (!/^(?:run|copy|add|onbuild)$/i.test(keyword)) return false;
  const command = splitCommand(line, escape);
  const inner = /^onbuild$/i.test(keyword) ? splitCommand(command.args, escape) : command;
  if (!/^(?:run|copy|add)$/i.test(inner.keyword)) return false;
  return readJsonForm(inner.args).kind !== "strings";
}

/** The words of a line; none at all where its quotes do not match up. The escape is always a backslash. */
function splitLine(line: string): readonly string[] {
  return readOrNone(decodeBytes(line), { ...wordOptions, rawQuotes: true, rawEscapes: true });
}

function readOrNone(text: string, options: WordOptions): readonly string[] {
  try {
    return readWords(text, options).words;
  } catch (error) {
    if (error instanceof WordError) return [];
    throw error;
  }
}

const wordOptions: WordOptions = { escape: "\\", lookup: () => undefined, keepUnset: true };

/** One word as a heredoc's head, or undefined. */
function readMark(word: string): HeredocMark | undefined {
  const match = /^([0-9]*)<<(-?)/.exec(word);
  if (match === null) return undefined;
  const rest = word.slice(match[0].length).replace(/^[\t\n\f\r ]+/, "");
  if (rest === "" || rest.includes("<")) return undefined;
  const [name, ...others] = readOrNone(rest, wordOptions);
  if (name === undefined || others.length > 0) return undefined;
  const raw = readOrNone(rest, { ...wordOptions, rawQuotes: true })[0] ?? "";
  return {
    name: encodeBytes(name),
    expand: countQuotes(name) === countQuotes(raw),
    chomp: match[2] === "-",
    fileDescriptor: Number(match[1]),
  };
}

function countQuotes(text: string): number {
  return text.replaceAll(/[^'"]/g, "").length;
}
