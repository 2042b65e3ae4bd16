/** How words are read. The Dockerfile reference, "Environment replacement"; BuildKit's shell lexer. */
export interface WordOptions {
  readonly escape: "\\" | "`";
  readonly lookup: (name: string) => string | undefined;
  /** Quotes are characters like any other, and protect nothing: so BuildKit expands heredocs. */
  readonly plainQuotes?: boolean;
  /** Quotes stay in the result. */
  readonly rawQuotes?: boolean;
  /** Escape characters stay in the result. */
  readonly rawEscapes?: boolean;
  /** A variable without a value stays as it is written. */
  readonly keepUnset?: boolean;
}

/** What is wrong with a word; the message is for a person. */
export class WordError extends Error {}

/** No value grows beyond this: `ENV A=$A$A` a few times would fill any memory. In UTF-16 units. */
export const maxLength = 1 << 20;
export const tooLong = "the value is longer than 1 MiB";
/** How deep `${a:-${b:-...}}` may go. */
const maxDepth = 400;

/** Whether escape characters stay in the result, or what they escape alone. */
export type Escapes = "kept" | "dropped";

/** A word while it is read. */
export interface Reader {
  readonly source: string;
  readonly options: WordOptions;
  readonly unset: Set<string>;
  at: number;
  depth: number;
  escapes: Escapes;
  // One buffer for all depths, as in BuildKit: a default value within ${} empties the word around it.
  word: string;
  /** Reads up to and over a stop character: what a modifier's word is made of. */
  readonly readUntil: (reader: Reader, stop: string, escapes: Escapes) => string;
}

/** The code point that is next; empty at the end. */
export function peek(reader: Reader): string {
  const code = reader.source.codePointAt(reader.at);
  return code === undefined ? "" : String.fromCodePoint(code);
}

export function next(reader: Reader): string {
  const character = peek(reader);
  reader.at += character.length;
  return character;
}

export function checkLength(text: string): string {
  if (text.length > maxLength) throw new WordError(tooLong);
  return text;
}

export function getValue(reader: Reader, name: string): string | undefined {
  const value = reader.options.lookup(name);
  if (value === undefined) reader.unset.add(name);
  return value;
}

/** A modifier's word, with what it substitutes itself. */
export function readOperand(reader: Reader, stop: string, escapes: Escapes): string {
  if (reader.depth >= maxDepth) throw new WordError("substitutions are nested too deeply");
  reader.depth += 1;
  try {
    const text = reader.readUntil(reader, stop, escapes);
    reader.depth -= 1;
    return text;
  } catch (error) {
    if (error instanceof WordError && reader.at >= reader.source.length) {
      throw new WordError(`${stop} is missing`, { cause: error });
    }
    throw error;
  }
}
