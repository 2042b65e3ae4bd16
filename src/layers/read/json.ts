import type { Position, Span } from "../../diagnostics.ts";
import type { Json } from "../../oci/model.ts";
import { refuse } from "../refuse.ts";

/** Deeper documents, and those with more values, are refused: nothing that a build writes needs more. */
const maxDepth = 64;
const maxValues = 200_000;

interface Scanner {
  /** One character a byte, so that offsets are bytes. */
  readonly text: string;
  readonly file: string;
  at: number;
  /** Values so far. */
  count: number;
  /** Where the value at this path begins, if somebody asked. */
  readonly wanted: readonly PropertyKey[] | undefined;
  found: number | undefined;
}

/**
 * Reads a JSON document as RFC 8259 has it, in UTF-8, and refuses what readers disagree on: keys that
 * stand twice, numbers that are not finite, halves of surrogate pairs. Errors: `output-json-invalid` with
 * line and column. `start` is where the document begins in its file.
 */
export function parseJson(bytes: Buffer, file: string, start = 0, end = bytes.length): Json {
  const scanner = createScanner(bytes, file, start, end, undefined);
  assertUtf8(bytes.subarray(start, end), scanner);
  const value = scanValue(scanner, 0, []);
  skipSpace(scanner);
  if (scanner.at < scanner.text.length) throw fail(scanner, "something stands behind the document");
  return value;
}

/** Where the value at this path of a well-formed document begins; of the innermost part that is there. */
export function locateJson(
  bytes: Buffer,
  path: readonly PropertyKey[],
  start = 0,
  end = bytes.length,
): Span {
  const scanner = createScanner(bytes, "", start, end, path.map(String));
  scanValue(scanner, 0, []);
  return spanAt(scanner.text, scanner.found ?? start);
}

function createScanner(
  bytes: Buffer,
  file: string,
  start: number,
  end: number,
  wanted: readonly PropertyKey[] | undefined,
): Scanner {
  const hasMark = start === 0 && bytes.toString("latin1", 0, 3) === "\u00ef\u00bb\u00bf";
  return {
    text: bytes.toString("latin1", 0, end),
    file,
    at: hasMark ? 3 : start,
    count: 0,
    wanted,
    found: undefined,
  };
}

function assertUtf8(bytes: Buffer, scanner: Scanner): void {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw fail(scanner, "it is not UTF-8");
  }
}

function scanValue(scanner: Scanner, depth: number, path: readonly string[]): Json {
  skipSpace(scanner);
  if (depth > maxDepth) throw fail(scanner, `it is nested more than ${maxDepth} deep`);
  scanner.count += 1;
  if (scanner.count > maxValues) throw fail(scanner, `it has more than ${maxValues} values`);
  notePlace(scanner, path);
  const character = scanner.text[scanner.at];
  if (character === "{") return scanObject(scanner, depth, path);
  if (character === "[") return scanArray(scanner, depth, path);
  if (character === '"') return scanString(scanner);
  return scanScalar(scanner);
}

/** The deepest value on the way to the wanted path wins. */
function notePlace(scanner: Scanner, path: readonly string[]): void {
  const { wanted } = scanner;
  if (wanted === undefined || path.length > wanted.length) return;
  if (path.every((part, index) => part === wanted[index])) scanner.found = scanner.at;
}

function scanObject(scanner: Scanner, depth: number, path: readonly string[]): Json {
  const members = new Map<string, Json>();
  scanner.at += 1;
  skipSpace(scanner);
  if (take(scanner, "}")) return {};
  do {
    skipSpace(scanner);
    const place = scanner.at;
    if (scanner.text[place] !== '"') throw fail(scanner, "a key in quotes belongs here");
    const key = scanString(scanner);
    if (members.has(key))
      throw fail(scanner, `the key ${JSON.stringify(key)} stands there twice`, place);
    skipSpace(scanner);
    if (!take(scanner, ":")) throw fail(scanner, "a colon belongs here");
    members.set(key, scanValue(scanner, depth + 1, [...path, key]));
    skipSpace(scanner);
  } while (take(scanner, ","));
  if (!take(scanner, "}")) throw fail(scanner, "a comma or a closing brace belongs here");
  // fromEntries defines properties, so that even `__proto__` is a plain key.
  return Object.fromEntries(members);
}

function scanArray(scanner: Scanner, depth: number, path: readonly string[]): Json {
  const items: Json[] = [];
  scanner.at += 1;
  skipSpace(scanner);
  if (take(scanner, "]")) return items;
  do {
    items.push(scanValue(scanner, depth + 1, [...path, String(items.length)]));
    skipSpace(scanner);
  } while (take(scanner, ","));
  if (!take(scanner, "]")) throw fail(scanner, "a comma or a closing bracket belongs here");
  return items;
}

// oxlint-disable-next-line no-control-regex -- which a JSON string may not hold
const stringPattern = /"(?:[^"\\\x00-\x1f]+|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const scalarPattern =
  /(?:true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?![\w.+-])/y;

function scanString(scanner: Scanner): string {
  const place = scanner.at;
  const raw = match(scanner, stringPattern);
  if (raw === undefined)
    throw fail(scanner, "a string is not closed, or has a character that needs an escape");
  const value: string = JSON.parse(Buffer.from(raw, "latin1").toString("utf8"));
  if (/\p{Surrogate}/u.test(value))
    throw fail(scanner, "a string has half of a surrogate pair", place);
  return value;
}

function scanScalar(scanner: Scanner): Json {
  const place = scanner.at;
  const raw = match(scanner, scalarPattern);
  if (raw === undefined) throw fail(scanner, "a value belongs here");
  const value: Json = JSON.parse(raw);
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
    throw fail(scanner, "a number is out of range", place);
  }
  return value;
}

function match(scanner: Scanner, pattern: RegExp): string | undefined {
  pattern.lastIndex = scanner.at;
  const found = pattern.exec(scanner.text)?.[0];
  if (found !== undefined) scanner.at += found.length;
  return found;
}

function take(scanner: Scanner, character: string): boolean {
  if (scanner.text[scanner.at] !== character) return false;
  scanner.at += 1;
  return true;
}

function skipSpace(scanner: Scanner): void {
  while (/^[ \t\r\n]$/.test(scanner.text[scanner.at] ?? "")) scanner.at += 1;
}

function fail(scanner: Scanner, message: string, at = scanner.at): Error {
  const place = { file: scanner.file, span: spanAt(scanner.text, at) };
  return refuse("output-json-invalid", message, place, "Write it as RFC 8259 says.");
}

function spanAt(text: string, offset: number): Span {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  const line = before.split("\n").length;
  const start: Position = { offset, line, column: offset - lineStart + 1 };
  return { start, end: { ...start, offset: offset + 1, column: start.column + 1 } };
}
