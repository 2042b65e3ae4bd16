import {
  createToken,
  type CustomPatternMatcherFunc,
  type CustomPatternMatcherReturn,
  EmbeddedActionsParser,
  type IToken,
  Lexer,
  type TokenType,
} from "chevrotain";

import { readFlag } from "./command.ts";
import { readJsonForm } from "./json-form.ts";

/** A part of an OUTPUT; offsets are offsets in its joined text. */
export interface OutputPart {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** OUTPUT by its grammar: the flags as they stand, and what is left for the path. */
export interface OutputSyntax {
  readonly flags: readonly OutputPart[];
  /** The JSON form, brackets included. */
  readonly json: OutputPart | undefined;
  /** The words of the other form: one, where all is well. */
  readonly words: readonly OutputPart[];
}

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
    WhiteSpace: createToken({ name: "WhiteSpace", pattern: /[\t\v\f\r ]+/, group: Lexer.SKIPPED }),
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

/** The grammar of `OUTPUT [flags] path`; what it leaves open is `src/containerfile`'s to judge. */
export class OutputParser extends EmbeddedActionsParser {
  readonly output: () => OutputSyntax;

  /** The grammar is validated by its tests, not at every start. */
  constructor(tokens: OutputTokens, skipValidations = true) {
    super(Object.values(tokens), { maxLookahead: 1, skipValidations });
    const flag = this.RULE("flag", () =>
      this.OR([
        { ALT: () => toPart(this.CONSUME(tokens.From)) },
        { ALT: () => toPart(this.CONSUME(tokens.InheritConfig)) },
        { ALT: () => toPart(this.CONSUME(tokens.Input)) },
        { ALT: () => toPart(this.CONSUME(tokens.Reuse)) },
        { ALT: () => toPart(this.CONSUME(tokens.Compression)) },
        { ALT: () => toPart(this.CONSUME(tokens.UnknownFlag)) },
      ]),
    );
    this.output = this.RULE("output", () => {
      this.CONSUME(tokens.Output);
      const syntax: { flags: OutputPart[]; json: OutputPart | undefined; words: OutputPart[] } = {
        flags: [],
        json: undefined,
        words: [],
      };
      this.MANY(() => syntax.flags.push(this.SUBRULE(flag)));
      this.OPTION(() => this.CONSUME(tokens.FlagsEnd));
      this.OR([
        { ALT: () => (syntax.json = toPart(this.CONSUME(tokens.JsonPath))) },
        { ALT: () => this.MANY2(() => syntax.words.push(toPart(this.CONSUME(tokens.Word)))) },
      ]);
      return syntax;
    });
    this.performSelfAnalysis();
  }
}

function toPart({ image, startOffset }: IToken): OutputPart {
  return { text: image, start: startOffset, end: startOffset + image.length };
}

const readers = new Map<string, (text: string) => OutputSyntax>();

/** Reads an OUTPUT's joined text, without white space at its end. Never throws. */
export function readOutputSyntax(text: string, escape: string): OutputSyntax {
  const reader = readers.get(escape) ?? createReader(escape);
  readers.set(escape, reader);
  return reader(text);
}

function createReader(escape: string): (text: string) => OutputSyntax {
  const tokens = createOutputTokens(escape);
  const lexer = new Lexer(Object.values(tokens), {
    positionTracking: "onlyOffset",
    skipValidations: true,
  });
  const parser = new OutputParser(tokens);
  return (text) => {
    parser.input = lexer.tokenize(text).tokens;
    return parser.output();
  };
}

const knownWords = new Set(["--", ...Object.keys(outputFlags).map((name) => `--${name}`)]);

/** A flag of this name, or of a name that is none of ours. Behind `--` and the path there is none. */
function createFlagPattern(wanted: string | undefined, escape: string): CustomPatternMatcherFunc {
  return (text, offset, tokens) => {
    const last = tokens.at(-1)?.tokenType.name;
    if (last === undefined || /^(?:FlagsEnd|JsonPath|Word)$/.test(last)) return null;
    if (!text.startsWith("--", offset)) return null;
    const flag = readFlag(text, offset, text.length, escape);
    const name = flag.text.startsWith("--=") ? "--=" : flag.text.replace(/=[^]*/, "");
    const isWanted = wanted === undefined ? !knownWords.has(name) : name === wanted;
    return isWanted ? toMatch(text, offset, flag.end) : null;
  };
}

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
