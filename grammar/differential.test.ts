import { readdirSync, readFileSync } from "node:fs";
import {
  DockerfileParser,
  type Instruction,
  From,
  JSONInstruction,
  ModifiableInstruction,
  PropertyInstruction,
} from "dockerfile-ast";
import { expect, test } from "vitest";

import { readArguments, splitWords } from "./arguments.ts";
import { readContainerfile } from "./containerfile.ts";
import { splitInstruction } from "./instruction.ts";
import { decodeBytes } from "./text.ts";
import { WordError } from "./word-reader.ts";
import { readWords } from "./words.ts";

/** What an instruction is, as far as both readers say it. */
interface Facts {
  /** From 1. */
  readonly line: number;
  readonly keyword: string;
  /** Undefined where OUTPUT is concerned, which the other reader does not know. */
  readonly flags: readonly string[] | undefined;
  readonly words: readonly string[] | undefined;
  readonly stage: string | undefined;
  /** Names of the variables that the engine expands, each once, sorted. */
  readonly variables: readonly string[] | undefined;
}

const corpus = new URL("corpus/", import.meta.url);
const files = ["ok", "bad"].flatMap((kind) =>
  readdirSync(new URL(kind, corpus)).map((name) => `${kind}/${name}`),
);

const body = "the lines of a heredoc are words to it";
const joined = "an escape character behind another one continues the line to it";
const quotes = "quotes and escapes in a flag stay, and do not keep its parts together";
const noFlags = "only some instructions have flags to it, so that they are words here";

/** Where dockerfile-ast reads the corpus otherwise than BuildKit does and we do: in which lines what, and why. */
const known: readonly (readonly [file: string, differences: readonly string[], why: string])[] = [
  [
    "ok/backtick-escape",
    ["6 words"],
    "an escape character in a heredoc's word is none of it, and its lines are words to it",
  ],
  ["ok/blank-only-lines", ["3 keyword", "6 keyword"], "a form feed is no white space to it"],
  ["ok/bytes-that-are-no-text", ["4 words"], body],
  [
    "ok/carriage-returns",
    ["1 words", "2 words", "3 keyword", "4 keyword", "6 keyword"],
    "a lone carriage return ends a line to it",
  ],
  ["ok/continuation-backslash-pairs", ["2 words", "3 keyword", "4 keyword"], joined],
  [
    "ok/continuation-first",
    ["1 keyword", "2 keyword"],
    "an instruction begins with its keyword to it, not with a line that is continued",
  ],
  ["ok/crlf", ["7 words"], body],
  [
    "ok/directive-after-unknown",
    ["4 words", "5 keyword"],
    "a directive behind one that it does not know counts to it",
  ],
  [
    "ok/flags",
    [
      "2 flags",
      "2 words",
      "3 flags",
      "3 words",
      "4 flags",
      "4 words",
      "5 flags",
      "5 words",
      "6 flags",
    ],
    quotes,
  ],
  ["ok/flags-on-unknown-instruction", ["2 flags", "2 words"], noFlags],
  ["ok/heredoc", ["2 words"], body],
  ["ok/heredoc-arithmetic", ["2 words"], body],
  ["ok/heredoc-chomp", ["2 words"], body],
  ["ok/heredoc-dollar-word", ["2 words", "4 words"], body],
  ["ok/heredoc-end-with-space", ["2 words"], body],
  [
    "ok/heredoc-file-descriptor",
    ["3 keyword", "4 keyword", "5 keyword", "6 keyword"],
    "a heredoc has no file descriptor to it",
  ],
  [
    "ok/heredoc-in-default-value",
    ["2 words", "3 keyword"],
    "a heredoc in a default value is one to it",
  ],
  ["ok/heredoc-in-json", ["4 words"], "what stands behind an array leaves it JSON to it"],
  ["ok/heredoc-in-onbuild", ["2 words", "5 words"], body],
  [
    "ok/heredoc-not-one",
    ["8 words", "9 keyword", "10 keyword"],
    "an escaped < opens a heredoc to it",
  ],
  [
    "ok/heredoc-open-quote",
    ["2 words", "3 keyword", "4 keyword"],
    "a heredoc behind an open quote is one to it",
  ],
  ["ok/heredoc-over-continuation", ["2 words"], body],
  [
    "ok/heredoc-quoted",
    ["2 words", "5 words", "6 keyword", "7 keyword", "8 words", "10 keyword"],
    "a heredoc's word with a space, or with quotes within, is another one to it",
  ],
  ["ok/heredoc-several", ["2 words"], body],
  [
    "ok/heredoc-space-before-word",
    ["3 keyword", "4 words", "5 keyword"],
    "a heredoc's word stands behind << without a space to it",
  ],
  [
    "ok/json",
    ["2 words", "3 words", "8 words"],
    "it takes spaces out of strings, and sees no empty array and none of HEALTHCHECK",
  ],
  ["ok/json-escapes", ["2 words"], "it takes the backslash off and keeps the rest"],
  [
    "ok/json-not-quite",
    ["2 words", "4 words", "5 words"],
    "an array with mistakes in it is one to it",
  ],
  ["ok/onbuild", ["2 flags", "2 words"], noFlags],
  [
    "ok/output-only-in-words",
    ["5 words", "9 words"],
    "the lines of a heredoc, and a line end in quotes, are of a word to it",
  ],
  [
    "ok/wide-spaces",
    ["1 keyword", "2 keyword", "3 keyword", "4 words", "6 keyword", "7 words"],
    "spaces beyond ASCII are none to it",
  ],
  ["bad/engine-escape-doubled", ["2 words", "3 keyword"], joined],
  ["bad/engine-version", ["2 words"], body],
  [
    "bad/engine-version-output",
    ["2 words", "6 words", "9 words", "9 variables", "14 words", "17 words", "17 variables"],
    body,
  ],
  ["bad/engine-version-podman", ["2 words"], body],
  [
    "bad/expansion-invalid",
    ["1 variables", "3 variables", "5 variables", "6 words", "6 variables"],
    "a variable that cannot be expanded is one to it",
  ],
  ["bad/flag-unknown", ["3 flags", "3 words"], noFlags],
  ["bad/from-arguments", ["2 stage"], "a stage has a name to it whatever stands behind"],
  ["bad/heredoc-unterminated", ["2 words"], body],
  ["bad/json-not-strings", ["2 words"], "it leaves out what is no string in an array"],
];

const expanded = /^(?:ADD|ARG|COPY|ENV|EXPOSE|FROM|LABEL|STOPSIGNAL|USER|VOLUME|WORKDIR)$/;

function listOurs(bytes: Buffer): Facts[] {
  const { escape, instructions } = readContainerfile(bytes.toString("latin1"));
  return instructions.map(({ text, startLine }) => {
    const command = splitInstruction(text, escape);
    const { keyword, args } = command;
    const shell = splitWords(decodeBytes(args), escape);
    const words = readArguments(keyword, args, escape).json ?? shell;
    const flags = command.flags.map((flag) => decodeBytes(flag.text));
    const isOurs = keyword === "OUTPUT";
    const isNamed = keyword === "FROM" && words.length === 3 && /^as$/i.test(words[1] ?? "");
    return {
      line: startLine,
      keyword,
      flags: isOurs ? undefined : flags,
      words: isOurs ? undefined : words,
      stage: isNamed ? words[2] : undefined,
      variables: expanded.test(keyword) ? listVariables([...flags, ...words], escape) : undefined,
    };
  });
}

function listVariables(words: readonly string[], escape: "\\" | "`"): readonly string[] {
  const names = words.flatMap((word) => {
    try {
      return readWords(word, { escape, lookup: () => undefined }).unset;
    } catch (error) {
      if (error instanceof WordError) return [];
      throw error;
    }
  });
  return [...new Set(names)].toSorted();
}

function listTheirs(bytes: Buffer): Facts[] {
  const file = DockerfileParser.parse(bytes.toString("utf8"));
  return file.getInstructions().map((node) => {
    const keyword = node.getKeyword();
    const isOurs = keyword === "OUTPUT";
    const names = node.getVariables().map((one) => one.getName());
    return {
      line: node.getRange().start.line + 1,
      keyword,
      flags: isOurs ? undefined : listFlags(node),
      words: isOurs ? undefined : listWords(node),
      stage: node instanceof From ? (node.getBuildStage() ?? undefined) : undefined,
      variables: expanded.test(keyword) ? [...new Set(names)].toSorted() : undefined,
    };
  });
}

function listFlags(node: Instruction): readonly string[] {
  return node instanceof ModifiableInstruction
    ? node.getFlags().map((flag) => flag.toString())
    : [];
}

function listWords(node: Instruction): readonly string[] {
  if (node instanceof PropertyInstruction) {
    return node.getPropertyArguments().map((one) => one.getValue());
  }
  const strings = node instanceof JSONInstruction ? node.getJSONStrings() : [];
  if (strings.length > 0) return strings.map((one) => one.getJSONValue());
  return node.getArguments().map((one) => one.getValue());
}

/** Which lines differ in what; an instruction that one of them does not have differs in `keyword` alone. */
function listDifferences(bytes: Buffer): string[] {
  const [ours, theirs] = [listOurs(bytes), listTheirs(bytes)];
  const lines = [...new Set([...ours, ...theirs].map(({ line }) => line))].sort((a, b) => a - b);
  return lines.flatMap((line) => {
    const [our, their] = [ours, theirs].map((all) => all.find((one) => one.line === line));
    if (our?.keyword !== their?.keyword) return [`${line} keyword`];
    return (["flags", "words", "stage", "variables"] as const)
      .filter((what) => JSON.stringify(our?.[what]) !== JSON.stringify(their?.[what]))
      .map((what) => `${line} ${what}`);
  });
}

test.each(files)("%s", (name) => {
  const bytes = readFileSync(new URL(`${name}/Containerfile`, corpus));
  const row = known.find(([file]) => file === name);
  expect(listDifferences(bytes)).toEqual(row?.[1] ?? []);
});

test("each row is of another file that is there", () => {
  const names = known.map(([file]) => file);
  expect(names.filter((name) => !files.includes(name))).toEqual([]);
  expect(new Set(names).size).toBe(names.length);
});
