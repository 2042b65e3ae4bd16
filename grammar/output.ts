import { EmbeddedActionsParser, type IToken, Lexer } from "chevrotain";

import type { CommandSyntax, FlagSyntax } from "./command.ts";
import { createOutputTokens, type OutputTokens } from "./output-tokens.ts";
import { isByteSpace, skipSpaces, skipSpacesBack } from "./text.ts";
import type { ValidationOptions } from "./tokens.ts";

/** A part of an OUTPUT's path; offsets are offsets in the joined text. */
export interface PathPart {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** What OUTPUT has for a path. */
export interface PathSyntax {
  /** The JSON form, brackets included. */
  readonly json: PathPart | undefined;
  /** The words of the other form: one, where all is well. */
  readonly words: readonly PathPart[];
}

/** OUTPUT by its grammar: what every instruction has, and the path. */
export interface OutputSyntax extends CommandSyntax {
  readonly path: PathSyntax;
}

/** What the grammar makes of the tokens. */
interface OutputTree {
  readonly keyword: IToken;
  readonly flags: readonly FlagSyntax[];
  readonly flagsEnd: IToken | undefined;
  readonly path: PathSyntax;
}

/** The grammar of `OUTPUT [flags] path`; what it leaves open is `src/containerfile`'s to judge. */
export class OutputParser extends EmbeddedActionsParser {
  readonly output: () => OutputTree;

  constructor(tokens: OutputTokens, { skipValidations = true }: ValidationOptions = {}) {
    super(Object.values(tokens), { maxLookahead: 1, skipValidations });
    const flag = this.RULE("flag", () =>
      this.OR([
        { ALT: () => toFlag(this.CONSUME(tokens.From)) },
        { ALT: () => toFlag(this.CONSUME(tokens.InheritConfig)) },
        { ALT: () => toFlag(this.CONSUME(tokens.Input)) },
        { ALT: () => toFlag(this.CONSUME(tokens.Reuse)) },
        { ALT: () => toFlag(this.CONSUME(tokens.Compression)) },
        { ALT: () => toFlag(this.CONSUME(tokens.UnknownFlag)) },
      ]),
    );
    this.output = this.RULE("output", () => {
      const keyword = this.CONSUME(tokens.Output);
      const flags: FlagSyntax[] = [];
      const path: { json: PathPart | undefined; words: PathPart[] } = {
        json: undefined,
        words: [],
      };
      this.MANY(() => flags.push(this.SUBRULE(flag)));
      const flagsEnd = this.OPTION(() => this.CONSUME(tokens.FlagsEnd));
      this.OR([
        { ALT: () => (path.json = toPart(this.CONSUME(tokens.JsonPath))) },
        { ALT: () => this.MANY2(() => path.words.push(toPart(this.CONSUME(tokens.Word)))) },
      ]);
      return { keyword, flags, flagsEnd, path };
    });
    this.performSelfAnalysis();
  }
}

function toPart({ image, startOffset }: IToken): PathPart {
  return { text: image, start: startOffset, end: startOffset + image.length };
}

/** While the grammar is recorded, tokens have no payload. */
function toFlag(token: IToken): FlagSyntax {
  const payload: unknown = token.payload;
  return isFlag(payload) ? payload : toPart(token);
}

function isFlag(payload: unknown): payload is FlagSyntax {
  return typeof payload === "object" && payload !== null && "text" in payload;
}

const readers = new Map<string, (text: string) => OutputTree>();

/** Reads an instruction whose keyword is OUTPUT, from its joined text. Never throws. */
export function readOutputSyntax(line: string, escape: string): OutputSyntax {
  const reader = readers.get(escape) ?? createReader(escape);
  readers.set(escape, reader);
  const end = skipSpacesBack(line, 0, line.length);
  const { keyword, flags, flagsEnd, path } = reader(line.slice(0, end));
  const last = flagsEnd ?? keyword;
  let rest = Math.max(last.startOffset + last.image.length, flags.at(-1)?.end ?? 0);
  if (flagsEnd === undefined) while (rest < end && isByteSpace(line.charAt(rest))) rest += 1;
  const argsStart = skipSpaces(line, rest, end);
  return {
    keyword: keyword.image,
    keywordStart: keyword.startOffset,
    flags,
    flagsEnded: flagsEnd !== undefined,
    args: line.slice(argsStart, end),
    argsStart,
    path,
  };
}

function createReader(escape: string): (text: string) => OutputTree {
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
