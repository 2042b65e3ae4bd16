import { decodeBytes, isByteSpace, skipSpaces, skipSpacesBack } from "./text.ts";

/** A flag of an instruction: BuildKit takes every leading word that begins with `--`. */
export interface FlagSyntax {
  /** Quotes and escapes taken off, dashes kept. */
  readonly text: string;
  /** Offsets in the logical line, quotes included. */
  readonly start: number;
  readonly end: number;
}

/** A logical line taken apart; offsets are offsets in it. */
export interface CommandSyntax {
  readonly keyword: string;
  readonly keywordStart: number;
  readonly flags: readonly FlagSyntax[];
  /** Whether `--` ended the flags. */
  readonly flagsEnded: boolean;
  readonly args: string;
  readonly argsStart: number;
}

/** A text that flags are read from. */
export interface FlagText {
  readonly line: string;
  /** Where the instruction ends, in `line`. */
  readonly end: number;
  readonly escape: string;
}

/** Takes any instruction apart but OUTPUT, whose flags and path its own grammar reads (`output.ts`). */
export function splitCommand(line: string, escape: string): CommandSyntax {
  const { keyword, start, end } = readKeyword(line);
  const { flags, flagsEnded, rest } = readFlags({ line, end, escape }, start + keyword.length);
  const argsStart = skipSpaces(line, Math.min(rest, end), end);
  const args = line.slice(argsStart, end);
  return { keyword, keywordStart: start, flags, flagsEnded, args, argsStart };
}

/** The keyword as written, where it begins, and where the instruction ends but for white space. */
export function readKeyword(line: string): { keyword: string; start: number; end: number } {
  const start = skipSpaces(line, 0);
  const end = skipSpacesBack(line, start, line.length);
  const word = /[^\t\v\f\r ]*/y;
  word.lastIndex = start;
  return { keyword: (word.exec(line)?.[0] ?? "").slice(0, end - start), start, end };
}

/**
 * A keyword in upper case. BuildKit knows instructions by their lower case, so a letter such as a long s,
 * whose upper case is plain ASCII, makes no keyword.
 */
export function upperCaseKeyword(keyword: string): string {
  return Array.from(decodeBytes(keyword), (letter) => {
    const upper = letter.toUpperCase();
    return upper.length === letter.length && (letter <= "z" || upper > "z") ? upper : letter;
  }).join("");
}

interface Flags {
  readonly flags: readonly FlagSyntax[];
  readonly flagsEnded: boolean;
  /** Where what is no flag begins. */
  readonly rest: number;
}

function readFlags(text: FlagText, from: number): Flags {
  const { line, end } = text;
  const flags: FlagSyntax[] = [];
  let at = from;
  for (;;) {
    while (at < end && isByteSpace(line.charAt(at))) at += 1;
    if (!line.startsWith("--", at) || at + 2 > end) return { flags, flagsEnded: false, rest: at };
    const flag = readFlag(text, at);
    at = flag.end;
    if (flag.text === "--") return { flags, flagsEnded: true, rest: at };
    flags.push(flag);
  }
}

/** The flag that begins at `start`, with the quotes and escapes that it may hold. */
export function readFlag({ line, end, escape }: FlagText, start: number): FlagSyntax {
  let text = "";
  let quote = "";
  let at = start;
  for (; at < end; at += 1) {
    const byte = line.charAt(at);
    if (quote === "" && isByteSpace(byte)) break;
    if (byte === quote) quote = "";
    else if (quote === "" && (byte === "'" || byte === '"')) quote = byte;
    else if (byte !== escape) text += byte;
    // An escape at the very end is dropped; unlike elsewhere it counts within single quotes too.
    else if (at + 1 < end) text += line.charAt((at += 1));
  }
  return { text, start, end: at };
}
