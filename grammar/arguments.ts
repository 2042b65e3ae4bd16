import { splitCommand } from "./command.ts";
import { readJsonForm } from "./json-form.ts";
import { decodeBytes, isByteSpace, isSpace } from "./text.ts";

/** An instruction's arguments as far as BuildKit's parser looks at them. */
export interface Arguments {
  /** The strings of the JSON form, where it has that form. */
  readonly json: readonly string[] | undefined;
  readonly problem: ArgumentProblem | undefined;
}

export interface ArgumentProblem {
  readonly code: "json-not-strings" | "key-value-missing" | "key-value-no-equals";
  readonly message: string;
  readonly hint: string;
  /** The word that is meant, by its number from 0; undefined where all are. */
  readonly word?: number;
}

const plain: Arguments = { json: undefined, problem: undefined };

/** `keyword` in upper case, `args` without flags. */
export function readArguments(keyword: string, args: string, escape: string): Arguments {
  switch (keyword) {
    case "ADD":
    case "CMD":
    case "COPY":
    case "ENTRYPOINT":
    case "RUN":
    case "SHELL":
    case "VOLUME":
      return readMaybeJson(args);
    case "HEALTHCHECK":
      return readMaybeJson(skipWord(args));
    case "ENV":
    case "LABEL":
      return { json: undefined, problem: readKeyValues(keyword, args, escape).problem };
    case "ONBUILD":
      return { json: undefined, problem: readTrigger(args, escape).problem };
    default:
      return plain;
  }
}

function readMaybeJson(args: string): Arguments {
  const form = readJsonForm(args);
  if (form.kind === "none") return plain;
  if (form.kind === "strings") return { json: form.strings, problem: undefined };
  const message = "a JSON array may contain only strings";
  const hint = "put each item in double quotes";
  return { json: undefined, problem: { code: "json-not-strings", message, hint } };
}

function skipWord(args: string): string {
  let at = 0;
  while (at < args.length && !isByteSpace(args.charAt(at))) at += 1;
  if (at === 0) return "";
  while (at < args.length && isByteSpace(args.charAt(at))) at += 1;
  return args.slice(at);
}

/** The trigger of the last of nested ONBUILDs, however many there are. */
function readTrigger(args: string, escape: string): Arguments {
  let trigger = splitCommand(args, escape);
  while (trigger.keyword.toUpperCase() === "ONBUILD") trigger = splitCommand(trigger.args, escape);
  return readArguments(trigger.keyword.toUpperCase(), trigger.args, escape);
}

export interface KeyValues {
  /** Decoded, unexpanded, quotes and escapes kept. */
  readonly pairs: readonly { readonly key: string; readonly value: string }[];
  readonly problem: ArgumentProblem | undefined;
}

/** The pairs of ENV and LABEL: `key=value ...`, or the old `key value`. */
export function readKeyValues(keyword: string, args: string, escape: string): KeyValues {
  const text = decodeBytes(args);
  const words = splitWords(text, escape);
  const [first] = words;
  if (first === undefined) return { pairs: [], problem: undefined };
  if (!first.includes("=")) return readOldForm(keyword, text);
  const index = words.findIndex((word) => !word.includes("="));
  const wrong = words[index];
  if (wrong !== undefined) {
    const message = `${keyword} expects name=value, but ${wrong} has no =`;
    const hint = "put a value with spaces in double quotes";
    return { pairs: [], problem: { code: "key-value-no-equals", message, hint, word: index } };
  }
  const pairs = words.map((word) => {
    const equals = word.indexOf("=");
    return { key: word.slice(0, equals), value: word.slice(equals + 1) };
  });
  return { pairs, problem: undefined };
}

function readOldForm(keyword: string, text: string): KeyValues {
  const match = /^([^\t\v\f\r ]*)[\t\v\f\r ]+([^]*)/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) {
    const message = `${keyword} ${text} has no value`;
    const hint = `write ${keyword} ${text}=value`;
    return { pairs: [], problem: { code: "key-value-missing", message, hint } };
  }
  return { pairs: [{ key: match[1], value: match[2] }], problem: undefined };
}

/** Decoded text split at white space outside quotes; quotes and escapes stay. ARG's arguments, too. */
export function splitWords(text: string, escape: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  const characters = Array.from(text);
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? "";
    if (quote === "" && isSpace(character)) {
      if (word !== undefined && word !== "") words.push(word);
      word = undefined;
      continue;
    }
    word ??= "";
    const isEscape = character === escape && quote !== "'";
    // An escape character at the very end is dropped.
    if (isEscape && at + 1 === characters.length) break;
    if (isEscape) word += character + (characters[(at += 1)] ?? "");
    else {
      if (character === quote) quote = "";
      else if (quote === "" && (character === "'" || character === '"')) quote = character;
      word += character;
    }
  }
  if (word !== undefined && word !== "") words.push(word);
  return words;
}
