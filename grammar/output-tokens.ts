import {
  createToken,
  type CustomPatternMatcherFunc,
  type CustomPatternMatcherReturn,
  type IToken,
  Lexer,
  type TokenType,
} from "chevrotain";

import { readFlag } from "./command.ts";
import { readJsonForm } from "./json-form.ts";
import { isByteSpace } from "./text.ts";

/** The flags by name, and what each takes; `from` takes any name. `--from` alone may be repeated. */
export const outputFlags = {
  from: undefined,
  "inherit-config": ["true", "false"],
  input: ["local", "all", "none"],
  reuse: ["content", "exact"],
  compression: ["gzip", "zstd", "none"],
} as const;

type TokenName =
  | "WhiteSpace"
  | "Output"
  | "From"
  | "InheritConfig"
  | "Input"
  | "Reuse"
  | "Compression"
  | "FlagsEnd"
  | "UnknownFlag"
  | "JsonPath"
  | "Word";

export type OutputTokens = Readonly<Record<TokenName, TokenType>>;

/** The tokens depend on the file's escape character: it may stand in a flag or in the path. */
export function createOutputTokens(escape: string): OutputTokens {
  const flag = (name: string, word: string | undefined, label: string) =>
    createToken({ name, label, line_breaks: false, pattern: createFlagPattern(word, escape) });
  const word: CustomPatternMatcherFunc = (...place) => matchWord(place, escape);
  return {
    WhiteSpace: createToken({
      name: "WhiteSpace",
      pattern: matchSpaces,
      group: Lexer.SKIPPED,
      line_breaks: false,
    }),
    Output: createToken({ name: "Output", label: "OUTPUT", pattern: /output(?![^\t\v\f\r ])/i }),
    From: flag("From", "--from", "--from=stage|image"),
    InheritConfig: flag("InheritConfig", "--inherit-config", "--inherit-config"),
    Input: flag("Input", "--input", "--input=local|all|none"),
    Reuse: flag("Reuse", "--reuse", "--reuse=content|exact"),
    Compression: flag("Compression", "--compression", "--compression=gzip|zstd|none"),
    FlagsEnd: flag("FlagsEnd", "--", "--"),
    UnknownFlag: flag("UnknownFlag", undefined, "another flag: an error"),
    JsonPath: createToken({
      name: "JsonPath",
      label: '["path"]',
      pattern: matchJson,
      line_breaks: false,
    }),
    Word: createToken({ name: "Word", label: "path", pattern: word, line_breaks: false }),
  };
}

const knownWords = new Set(["--", ...Object.keys(outputFlags).map((name) => `--${name}`)]);

/** A flag of this name, or of a name that is none of ours. Behind `--` and the path there is none. */
function createFlagPattern(wanted: string | undefined, escape: string): CustomPatternMatcherFunc {
  return (text, offset, tokens) => {
    if (!mayHaveFlag(tokens) || !text.startsWith("--", offset)) return null;
    const flag = readFlag({ line: text, end: text.length, escape }, offset);
    const name = flag.text.startsWith("--=") ? "--=" : flag.text.replace(/=[^]*/, "");
    const isWanted = wanted === undefined ? !knownWords.has(name) : name === wanted;
    if (!isWanted) return null;
    const match = toMatch(text, offset, flag.end);
    match.payload = flag;
    return match;
  };
}

function mayHaveFlag(tokens: readonly IToken[]): boolean {
  const last = tokens.at(-1)?.tokenType.name;
  return last !== undefined && !/^(?:FlagsEnd|JsonPath|Word)$/.test(last);
}

/** Before a flag, white space is what it is between the flags of any instruction. */
const matchSpaces: CustomPatternMatcherFunc = (text, offset, tokens) => {
  let at = offset;
  while (isByteSpace(text.charAt(at))) at += 1;
  if (!mayHaveFlag(tokens) || !text.startsWith("--", at)) {
    at = offset;
    while (/^[\t\v\f\r ]$/.test(text.charAt(at))) at += 1;
  }
  return at > offset ? toMatch(text, offset, at) : null;
};

function toMatch(text: string, start: number, end: number): CustomPatternMatcherReturn {
  return [text.slice(start, end)];
}

const matchJson: CustomPatternMatcherFunc = (text, offset, tokens) => {
  const isFirst = !/^(?:JsonPath|Word)$/.test(tokens.at(-1)?.tokenType.name ?? "Word");
  if (!isFirst || text[offset] !== "[") return null;
  const rest = text.slice(offset);
  return readJsonForm(rest).kind === "none" ? null : [rest];
};

/** A word up to white space that no quote, escape character or `${}` protects. */
function matchWord(
  [text, offset, tokens]: Parameters<CustomPatternMatcherFunc>,
  escape: string,
): CustomPatternMatcherReturn | null {
  if (tokens.length === 0) return null;
  let quote = "";
  let depth = 0;
  let at = offset;
  for (; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (quote === "" && depth === 0 && /[\t\v\f\r ]/.test(character)) break;
    if (text.startsWith("${", at)) depth += 1;
    if (character === "}") depth = Math.max(0, depth - 1);
    if (character === escape && quote !== "'") at += 1;
    else if (character === quote) quote = "";
    else if (quote === "" && (character === "'" || character === '"')) quote = character;
  }
  return at > offset ? toMatch(text, offset, Math.min(at, text.length)) : null;
}
