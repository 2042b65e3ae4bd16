import {
  parsePattern,
  replaceAll,
  replaceFirst,
  reversePattern,
  trimPrefix,
  trimSuffix,
} from "./patterns.ts";
import {
  getValue,
  maxLength,
  next,
  peek,
  readOperand,
  type Reader,
  tooLong,
  WordError,
} from "./word-reader.ts";

/** `$name` or `${...}`, of which the reader stands at the dollar sign. */
export function readDollar(reader: Reader): string {
  reader.at += 1;
  if (peek(reader) === "{") return readBraces(reader);
  const name = readName(reader);
  if (name === "") return "$";
  return getValue(reader, name) ?? (reader.options.keepUnset === true ? `$${name}` : "");
}

/** A name, a number or one special parameter; empty where there is none of these. */
function readName(reader: Reader): string {
  const rest = reader.source.slice(reader.at, reader.at + 1);
  const pattern = /\p{Nd}/u.test(peek(reader)) ? /\p{Nd}+/uy : /[\p{L}\p{Nd}_]+/uy;
  pattern.lastIndex = reader.at;
  const name = /^[@*#?\-$!]$/.test(rest) ? rest : (pattern.exec(reader.source)?.[0] ?? "");
  // 0 is a special parameter, but digits are taken together before that is looked at.
  reader.at += name.length;
  return name;
}

function readBraces(reader: Reader): string {
  reader.at += 1;
  const first = peek(reader);
  if (first === "") throw new WordError("} is missing");
  if (first === "{" || first === "}" || first === ":") throw new WordError("bad substitution");
  const name = readName(reader);
  const operator = next(reader);
  if (operator === "}") {
    return getValue(reader, name) ?? (reader.options.keepUnset === true ? `\${${name}}` : "");
  }
  if (operator === "/") return readReplacement(reader, name);
  if (/^[:+\-?#%]$/.test(operator)) return readModifier(reader, name, operator);
  throw new WordError(
    operator === "" ? "} is missing" : `the modifier ${operator} of \${${name}} is unknown`,
  );
}

function readModifier(reader: Reader, name: string, operator: string): string {
  const emptyIsUnset = operator === ":";
  const modifier = emptyIsUnset ? next(reader) : operator;
  const isPattern = modifier === "#" || modifier === "%";
  if (emptyIsUnset && isPattern) {
    throw new WordError(`the modifier :${modifier} of \${${name}} is unknown`);
  }
  const word = readOperand(reader, "}", isPattern ? "kept" : "dropped");
  const value = getValue(reader, name);
  if (value === undefined && reader.options.keepUnset === true) {
    return `\${${name}${emptyIsUnset ? ":" : ""}${modifier}${word}}`;
  }
  const isUnset = value === undefined || (emptyIsUnset && value === "");
  switch (modifier) {
    case "-":
      return isUnset ? word : (value ?? "");
    case "+":
      return isUnset ? "" : word;
    case "?":
      if (isUnset) throw new WordError(`${name}: ${word || missingMessage(value)}`);
      return value ?? "";
    case "#":
    case "%":
      return trimValue(value ?? "", modifier, word);
    default:
      throw new WordError(
        `the modifier ${emptyIsUnset ? ":" : ""}${modifier} of \${${name}} is unknown`,
      );
  }
}

function missingMessage(value: string | undefined): string {
  return value === undefined ? "is not allowed to be unset" : "is not allowed to be empty";
}

function trimValue(value: string, modifier: "#" | "%", word: string): string {
  const isDouble = word.startsWith(modifier);
  const pattern = isDouble ? word.slice(1) : word;
  const extent = isDouble ? "longest" : "shortest";
  return modifier === "#"
    ? trimPrefix(value, readPattern(pattern), extent)
    : trimSuffix(value, readPattern(reversePattern(pattern)), extent);
}

function readReplacement(reader: Reader, name: string): string {
  const all = peek(reader) === "/";
  if (all) reader.at += 1;
  const word = readOperand(reader, "/", "kept");
  const replacement = readOperand(reader, "}", "kept");
  const value = getValue(reader, name);
  if (value === undefined && reader.options.keepUnset === true) {
    return `\${${name}/${word}/${replacement}}`;
  }
  const pattern = readPattern(word);
  if (all && (value ?? "").length * replacement.length > 64 * maxLength) {
    throw new WordError(tooLong);
  }
  return all
    ? replaceAll(value ?? "", pattern, replacement)
    : replaceFirst(value ?? "", pattern, replacement);
}

function readPattern(text: string) {
  try {
    return parsePattern(text);
  } catch (error) {
    throw new WordError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
