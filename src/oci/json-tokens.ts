import type { Json } from "./model.ts";

/** What a document cannot be read for, and where in it: bytes from its start. */
export class JsonProblem extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.name = "JsonProblem";
    this.offset = offset;
  }
}

/** A document that is being read. */
export interface Scanner {
  /** One character a byte, so that offsets are bytes. */
  readonly text: string;
  /** Told where each value begins, with the keys that lead to it. */
  readonly onValue: ((path: readonly string[], offset: number) => void) | undefined;
  readonly path: string[];
  at: number;
  /** Values so far. */
  count: number;
}

/** The characters that stand for themselves. RFC 8259, section 2. */
export const characters = {
  quote: 34,
  comma: 44,
  colon: 58,
  openBracket: 91,
  closeBracket: 93,
  openBrace: 123,
  closeBrace: 125,
};
const backslash = 92;
const space = 32;

/** One character after another: a pattern for the whole would go back over it where it is not closed. */
export function scanString(scanner: Scanner): string {
  const { text, at: place } = scanner;
  let isPlain = true;
  for (let at = place + 1; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (character === characters.quote) {
      scanner.at = at + 1;
      return isPlain ? text.slice(place + 1, at) : decodeString(text.slice(place, at + 1), place);
    }
    if (character < space) break;
    if (character === backslash) {
      const escape = matchAt(text, escapePattern, at);
      if (escape === undefined) break;
      at += escape.length - 1;
    }
    if (character === backslash || character > 0x7f) isPlain = false;
  }
  throw fail(scanner, "a string is not closed, or has a character that needs an escape");
}

const escapePattern = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const scalarPattern =
  /(?:true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?![\w.+-])/y;

function decodeString(raw: string, place: number): string {
  const value: string = JSON.parse(Buffer.from(raw, "latin1").toString("utf8"));
  if (/\p{Surrogate}/u.test(value))
    throw new JsonProblem("a string has half of a surrogate pair", place);
  // Environments, names and paths end there for whoever reads them in C.
  if (value.includes("\0")) throw new JsonProblem("a string has a NUL character", place);
  return value;
}

export function scanScalar(scanner: Scanner): Json {
  const place = scanner.at;
  const raw = matchAt(scanner.text, scalarPattern, place);
  if (raw === undefined) throw fail(scanner, "a value is expected here");
  scanner.at += raw.length;
  const value: Json = JSON.parse(raw);
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
    throw fail(scanner, "a number is out of range", place);
  }
  return value;
}

function matchAt(text: string, pattern: RegExp, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

export function take(scanner: Scanner, character: number): boolean {
  if (scanner.text.charCodeAt(scanner.at) !== character) return false;
  scanner.at += 1;
  return true;
}

export function skipSpace(scanner: Scanner): void {
  for (; ; scanner.at += 1) {
    const character = scanner.text.charCodeAt(scanner.at);
    // Tab, new line, carriage return.
    if (character !== space && character !== 9 && character !== 10 && character !== 13) return;
  }
}

export function fail(scanner: Scanner, message: string, at = scanner.at): JsonProblem {
  return new JsonProblem(message, at);
}
