import { readWords, WordError } from "../../grammar/grammar.ts";

/** The value of a variable; undefined where it is not set. */
export type Lookup = (name: string) => string | undefined;

export type Expansion =
  | {
      readonly ok: true;
      readonly value: string;
      /** The value split at white space that nothing protects. */
      readonly words: readonly string[];
      /** Variables that were asked for and not set, in order. */
      readonly unset: readonly string[];
    }
  | { readonly ok: false; readonly message: string };

/**
 * Replaces variables and takes off quotes and escapes in decoded text: all forms of the Dockerfile
 * reference, "Environment replacement", as BuildKit has them. `escape` is the file's escape character.
 */
export function expandWord(word: string, lookup: Lookup, escape: "\\" | "`"): Expansion {
  try {
    const { text, words, unset } = readWords(word, { lookup, escape });
    return { ok: true, value: text, words, unset };
  } catch (error) {
    if (error instanceof WordError) return { ok: false, message: error.message };
    throw error;
  }
}
