import { readDollar } from "./substitutions.ts";
import { isSpace } from "./text.ts";
import {
  checkLength,
  type Escapes,
  next,
  peek,
  type Reader,
  WordError,
  type WordOptions,
} from "./word-reader.ts";

export interface WordResult {
  readonly text: string;
  /** The text split at white space that no quote or escape protects. */
  readonly words: readonly string[];
  /** Names that the lookup did not know, in order. */
  readonly unset: readonly string[];
}

/** Expands and splits decoded text. Throws {@link WordError}. */
export function readWords(source: string, options: WordOptions): WordResult {
  const reader: Reader = {
    source: source.startsWith("\uFEFF") ? source.slice(1) : source,
    options,
    unset: new Set(),
    at: 0,
    depth: 0,
    escapes: options.rawEscapes === true ? "kept" : "dropped",
    word: "",
    readUntil: (inner, stop, escapes) => readUntil(inner, stop, escapes).text,
  };
  const { text, words } = readUntil(reader, "", reader.escapes);
  return { text, words, unset: [...reader.unset] };
}

/** Reads up to and over `stop`, or to the end where it is empty. */
function readUntil(
  reader: Reader,
  stop: string,
  escapes: Escapes,
): { text: string; words: string[] } {
  const outerEscapes = reader.escapes;
  reader.escapes = escapes;
  reader.word = "";
  const words: string[] = [];
  let text = "";
  for (let character = peek(reader); character !== ""; character = peek(reader)) {
    if (character === stop) {
      reader.at += stop.length;
      reader.escapes = outerEscapes;
      return { text, words: finishWords(reader, words) };
    }
    text = checkLength(text + readPart(reader, character, words));
  }
  if (stop !== "") throw new WordError(`the end was reached where ${stop} was expected`);
  return { text, words: finishWords(reader, words) };
}

function finishWords(reader: Reader, words: string[]): string[] {
  if (reader.word !== "") words.push(reader.word);
  reader.word = "";
  return words;
}

function readPart(reader: Reader, character: string, words: string[]): string {
  const isQuote = character === "'" || character === '"';
  if (isQuote && reader.options.plainQuotes === true) return readPlain(reader, words);
  switch (character) {
    case "$":
      return addText(reader, readDollar(reader), words);
    case "'":
      return addRaw(reader, readSingleQuotes(reader));
    case '"':
      return addRaw(reader, readDoubleQuotes(reader));
    case "<":
      return addRaw(reader, readHeredocMark(reader));
    default:
      return readPlain(reader, words);
  }
}

function addRaw(reader: Reader, text: string): string {
  reader.word += text;
  return text;
}

function addText(reader: Reader, text: string, words: string[]): string {
  for (const character of text) {
    if (!isSpace(character)) {
      reader.word += character;
    } else if (reader.word !== "") {
      words.push(reader.word);
      reader.word = "";
    }
  }
  return text;
}

function readPlain(reader: Reader, words: string[]): string {
  const character = next(reader);
  if (character !== reader.options.escape) return addText(reader, character, words);
  const kept = reader.escapes === "kept" ? addRaw(reader, character) : "";
  return kept + addRaw(reader, next(reader));
}

function readSingleQuotes(reader: Reader): string {
  const start = reader.at + 1;
  const end = reader.source.indexOf("'", start);
  if (end === -1) throw new WordError("a single quote is not closed");
  reader.at = end + 1;
  return reader.options.rawQuotes === true
    ? reader.source.slice(start - 1, end + 1)
    : reader.source.slice(start, end);
}

function readDoubleQuotes(reader: Reader): string {
  const quote = reader.options.rawQuotes === true ? '"' : "";
  reader.at += 1;
  let text = quote;
  for (;;) {
    const character = peek(reader);
    if (character === "") throw new WordError("a double quote is not closed");
    if (character === '"') {
      reader.at += 1;
      return text + quote;
    }
    text = checkLength(text + (character === "$" ? readDollar(reader) : readQuoted(reader)));
  }
}

function readQuoted(reader: Reader): string {
  const character = next(reader);
  const { escape } = reader.options;
  if (character !== escape) return character;
  const kept = reader.escapes === "kept" ? character : "";
  const following = peek(reader);
  if (following === "") return kept;
  if (following === '"' || following === "$" || following === escape) return kept + next(reader);
  return kept + character;
}

/** `<<` takes the white space behind it along, so that `<< EOF` is one word. */
function readHeredocMark(reader: Reader): string {
  if (!reader.source.startsWith("<<", reader.at)) return next(reader);
  const start = reader.at;
  reader.at += 2;
  while (/^[\t\r ]$/.test(peek(reader))) reader.at += 1;
  return reader.source.slice(start, reader.at);
}
