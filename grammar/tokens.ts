import {
  createToken,
  type CustomPatternMatcherReturn,
  type IToken,
  Lexer,
  type TokenType,
} from "chevrotain";

import { type LineKind, type LineState, readLine } from "./lines.ts";

/** A token's payload: the line, and the one that follows once it has been looked at. */
interface LinePayload {
  readonly line: LineState;
  following?: LineState;
}

/** How diagrams call them. */
const labels: Readonly<Record<LineKind, string>> = {
  Directive: "directive line",
  Comment: "comment line",
  Blank: "blank line",
  Continued: "line that ends in the escape character",
  Final: "line that ends the instruction",
  HeredocLine: "line of the body",
  HeredocEnd: "line with the heredoc's word",
};

/** One token type for each kind of physical line. */
export const lineTokens: Readonly<Record<LineKind, TokenType>> = {
  Final: createLineToken("Final"),
  HeredocLine: createLineToken("HeredocLine"),
  Continued: createLineToken("Continued"),
  Comment: createLineToken("Comment"),
  Blank: createLineToken("Blank"),
  HeredocEnd: createLineToken("HeredocEnd"),
  Directive: createLineToken("Directive"),
};

/** The grammar is validated by its tests, not at every start. */
export interface ValidationOptions {
  readonly skipValidations?: boolean;
}

/** One token a physical line, its end included; every text lexes without error. */
export function createLineLexer({ skipValidations = true }: ValidationOptions = {}): Lexer {
  return new Lexer(Object.values(lineTokens), {
    positionTracking: "onlyOffset",
    skipValidations,
    lineTerminatorsPattern: /\n/g,
    lineTerminatorCharacters: ["\n"],
  });
}

/** The line that a token of {@link createLineLexer} stands for. */
export function lineOf(token: IToken): LineState {
  const { payload } = token;
  if (!isLinePayload(payload)) throw new TypeError("the token is none of the line lexer's");
  return payload.line;
}

function isLinePayload(payload: unknown): payload is LinePayload {
  return typeof payload === "object" && payload !== null && "line" in payload;
}

function createLineToken(kind: LineKind): TokenType {
  return createToken({
    name: kind,
    label: labels[kind],
    line_breaks: true,
    pattern: (text: string, offset: number, tokens: readonly IToken[]) => {
      const line = classifyLine(text, offset, tokens);
      return line.kind === kind ? toMatch(text, line) : null;
    },
  });
}

function classifyLine(text: string, offset: number, tokens: readonly IToken[]): LineState {
  const payload: unknown = tokens[tokens.length - 1]?.payload;
  const previous = isLinePayload(payload) ? payload : undefined;
  // Each kind's pattern asks in turn; the line is classified once and kept with the one before it.
  const line = previous?.following ?? readLine(text, offset, previous?.line);
  if (previous !== undefined) previous.following = line;
  return line;
}

function toMatch(text: string, line: LineState): CustomPatternMatcherReturn {
  const match: CustomPatternMatcherReturn = [text.slice(line.start, line.end)];
  match.payload = { line } satisfies LinePayload;
  return match;
}
