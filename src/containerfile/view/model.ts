/** A word of an instruction, flags left out. */
export interface ViewedWord {
  /** Decoded, as it stands in the instruction's joined text. */
  readonly text: string;
  /** Offsets in the joined text, in bytes. */
  readonly start: number;
  readonly end: number;
}

/** A standard instruction with the places of its arguments; `words` are all of them, in order. */
export type InstructionView =
  | {
      readonly kind: "from";
      readonly image: ViewedWord | undefined;
      /** Behind AS. */
      readonly name: ViewedWord | undefined;
      readonly words: readonly ViewedWord[];
    }
  | {
      readonly kind: "copy";
      readonly sources: readonly ViewedWord[];
      readonly destination: ViewedWord | undefined;
      readonly words: readonly ViewedWord[];
    }
  /** ENV, LABEL and ARG: each word is a pair, or ARG's name. */
  | { readonly kind: "pairs"; readonly words: readonly ViewedWord[] }
  /** Any other: USER, WORKDIR, EXPOSE, SHELL, HEALTHCHECK, ONBUILD, ... */
  | { readonly kind: "words"; readonly words: readonly ViewedWord[] };
