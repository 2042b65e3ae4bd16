import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

import { readKeyword } from "../command.ts";
import { readContainerfile } from "../containerfile.ts";
import { createTextMateGrammar } from "./textmate.ts";
import { type ScopedText, tokenizeText } from "./tokenize.ts";

const grammar = createTextMateGrammar();
const corpus = new URL("../corpus/ok/", import.meta.url);

/** What a pattern a line at a time cannot know; each is read as BuildKit reads it by the parser alone. */
const beyondPatterns = new Set([
  "backtick-escape", // an escape within a heredoc's word
  "byte-order-mark", // an editor takes the mark off
  "byte-order-mark-later",
  "carriage-returns", // editors break lines there
  "continuation-at-end",
  "continuation-first",
  "continuation-keyword",
  "continuation-backslash-pairs",
  "directive-after-blank-line", // the directive counts at the head alone
  "directive-after-comment",
  "directive-after-instruction",
  "directive-after-unknown",
  "bytes-that-are-no-text",
  "heredoc-arithmetic",
  "heredoc-dollar-word",
  "heredoc-in-default-value",
  "heredoc-in-json",
  "heredoc-in-onbuild",
  "heredoc-not-one",
  "heredoc-open-quote",
  "heredoc-over-continuation",
  "heredoc-quoted", // a word with spaces, or quotes within
  "heredoc-several",
  "blank-only-lines",
  "wide-spaces",
]);

function linesOf(tokens: readonly ScopedText[], scope: string): number[] {
  return tokens.filter(({ scopes }) => scopes.at(-1) === scope).map(({ line }) => line);
}

describe("keywords and OUTPUTs stand where the parser finds them", () => {
  const names = readdirSync(corpus).filter((name) => !beyondPatterns.has(name));

  test.each(names)("%s", (name) => {
    const bytes = readFileSync(new URL(`${name}/Containerfile`, corpus));
    const { instructions } = readContainerfile(bytes.toString("latin1"));
    const tokens = tokenizeText(bytes.toString("utf8").replaceAll("\r\n", "\n"), grammar);
    const outputs = instructions.filter(({ text }) => /^output$/i.test(readKeyword(text).keyword));
    expect(linesOf(tokens, "keyword.other.output.containerfile")).toEqual(
      outputs.map(({ startLine }) => startLine),
    );
    const starts = tokens.filter(({ opens, scopes }) => opens && scopes.length === 1);
    expect(starts.map(({ line }) => line)).toEqual(instructions.map(({ startLine }) => startLine));
  });
});

test("every case that is left out is there", () => {
  expect([...beyondPatterns].filter((name) => !readdirSync(corpus).includes(name))).toEqual([]);
});

function show(text: string): [string, string][] {
  return tokenizeText(text, grammar)
    .filter(({ scopes }) => !scopes.at(-1)?.startsWith("meta."))
    .map(({ line, start, end, scopes }) => [
      (text.split("\n")[line - 1] ?? "").slice(start, end),
      (scopes.at(-1) ?? "").replace(".containerfile", ""),
    ]);
}

describe("OUTPUT", () => {
  test("has its flags, its path and what is no flag of it", () => {
    expect(show("output --from=a --inherit-config --nope ${D}/layers/x")).toEqual([
      ["output", "keyword.other.output"],
      ["--from", "variable.parameter.flag"],
      ["=", "keyword.operator.assignment"],
      ["a", "string.unquoted.value"],
      ["--inherit-config", "variable.parameter.flag"],
      ["--nope", "invalid.illegal.flag"],
      ["${D}", "variable.other"],
    ]);
    expect(show('OUTPUT ["/layers"]').at(-1)).toEqual(["/layers", "string.unquoted.path"]);
  });

  test("goes on over continuations and comments in them", () => {
    expect(show("OUTPUT \\\n  # remark\n\n  /layers\nRUN x").map(([text]) => text)).toEqual([
      "OUTPUT",
      "\\",
      "  # remark",
      "/layers",
      "RUN",
    ]);
  });

  test("in ONBUILD is marked as wrong", () => {
    expect(show("ONBUILD OUTPUT /x")[1]).toEqual(["OUTPUT", "invalid.illegal.trigger"]);
  });

  test("in a heredoc, a comment or a word is none", () => {
    const text = "RUN <<EOF\nOUTPUT /a\nEOF\n# OUTPUT /b\nLABEL OUTPUT=/c";
    expect(show(text).filter(([part]) => part === "OUTPUT")).toEqual([]);
  });
});
