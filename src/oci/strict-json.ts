import { isUtf8 } from "node:buffer";
import { quoteText } from "../text.ts";
import {
  characters,
  fail,
  JsonProblem,
  scanScalar,
  scanString,
  skipSpace,
  take,
  type Scanner,
} from "./json-tokens.ts";
import type { Json } from "./model.ts";

/** Deeper documents, and those with more values, are refused: no image and no build needs more. */
const maxDepth = 64;
const maxValues = 200_000;

/**
 * Reads a JSON document as RFC 8259 has it, in UTF-8, in one pass, and refuses what readers disagree on or
 * cannot bear: keys that stand twice, `__proto__`, numbers that are not finite, halves of surrogate pairs, NUL
 * in texts, a byte order mark, nesting deeper than 64, more than 200,000 values. Errors: `JsonProblem`.
 */
export function readJson(bytes: Buffer, onValue?: Scanner["onValue"]): Json {
  if (!isUtf8(bytes)) throw new JsonProblem("it is not UTF-8", 0);
  const scanner = { text: bytes.toString("latin1"), onValue, path: [], at: 0, count: 0 };
  const value = scanValue(scanner);
  skipSpace(scanner);
  if (scanner.at < scanner.text.length)
    throw fail(scanner, "something follows the end of the document");
  return value;
}

const { quote, comma, colon, openBracket, closeBracket, openBrace, closeBrace } = characters;

function scanValue(scanner: Scanner): Json {
  skipSpace(scanner);
  if (scanner.path.length > maxDepth)
    throw fail(scanner, `it is nested more than ${maxDepth} deep`);
  scanner.count += 1;
  if (scanner.count > maxValues) throw fail(scanner, `it has more than ${maxValues} values`);
  scanner.onValue?.(scanner.path, scanner.at);
  const character = scanner.text.charCodeAt(scanner.at);
  if (character === openBrace) return scanObject(scanner);
  if (character === openBracket) return scanArray(scanner);
  if (character === quote) return scanString(scanner);
  return scanScalar(scanner);
}

function scanObject(scanner: Scanner): Json {
  const members = new Map<string, Json>();
  scanner.at += 1;
  skipSpace(scanner);
  if (take(scanner, closeBrace)) return {};
  do {
    const key = scanKey(scanner, members);
    skipSpace(scanner);
    if (!take(scanner, colon)) throw fail(scanner, "a colon is expected here");
    members.set(key, scanInner(scanner, key));
    skipSpace(scanner);
  } while (take(scanner, comma));
  if (!take(scanner, closeBrace))
    throw fail(scanner, "a comma or a closing brace is expected here");
  return Object.fromEntries(members);
}

function scanKey(scanner: Scanner, members: ReadonlyMap<string, Json>): string {
  skipSpace(scanner);
  const place = scanner.at;
  if (scanner.text.charCodeAt(place) !== quote)
    throw fail(scanner, "a key in quotes is expected here");
  const key = scanString(scanner);
  if (members.has(key)) throw fail(scanner, `the key ${quoteText(key)} appears twice`, place);
  // Libraries drop it without a word, or make it the object's prototype.
  if (key === "__proto__") throw fail(scanner, `the key "__proto__" cannot be used`, place);
  return key;
}

function scanArray(scanner: Scanner): Json {
  const items: Json[] = [];
  scanner.at += 1;
  skipSpace(scanner);
  if (take(scanner, closeBracket)) return items;
  do {
    items.push(scanInner(scanner, String(items.length)));
    skipSpace(scanner);
  } while (take(scanner, comma));
  if (!take(scanner, closeBracket))
    throw fail(scanner, "a comma or a closing bracket is expected here");
  return items;
}

function scanInner(scanner: Scanner, key: string): Json {
  scanner.path.push(key);
  const value = scanValue(scanner);
  scanner.path.pop();
  return value;
}
