import { readKeyValues, splitWords } from "../../grammar/grammar.ts";
import type { Containerfile, Instruction } from "./model.ts";
import { decodeText } from "./text.ts";

/**
 * An instruction's words as the grammar has them, decoded, with quotes and escapes: the strings of the JSON form, the
 * pairs of ENV, LABEL and ARG, else what stands between white space. Flags are none. ONBUILD's are its trigger's, and
 * quotes mean nothing there: what they mean is for the trigger to say.
 */
export function listWords(
  { keyword, args, json }: Instruction,
  escape: Containerfile["escape"],
): readonly string[] {
  const text = decodeText(args);
  if (keyword === "ONBUILD") return text.split(/[\t\v\f\r ]+/);
  if (isOldPair(keyword, args, escape)) return [text];
  return json ?? splitWords(text, escape);
}

/** `ENV key value`: all of it is one pair. */
function isOldPair(keyword: string, args: string, escape: string): boolean {
  if (keyword !== "ENV" && keyword !== "LABEL") return false;
  const { pairs } = readKeyValues(keyword, args, escape);
  return pairs.length === 1 && !(splitWords(decodeText(args), escape)[0] ?? "").includes("=");
}
