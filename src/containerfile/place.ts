import type { Diagnostic } from "../diagnostics.ts";
import type { Instruction } from "./model.ts";

/** What of an instruction a finding is about. Which bytes that is, `view/` finds out where it is to be shown. */
export type Part =
  /** FROM's. */
  | { readonly kind: "image" }
  | { readonly kind: "stage-name" }
  /** COPY's and ADD's. */
  | { readonly kind: "destination" }
  /** The keyword of ONBUILD's trigger, or of the trigger's trigger and so on. */
  | { readonly kind: "trigger"; readonly keyword: string }
  /** One of `listWords`: a pair where the instruction has pairs. */
  | { readonly kind: "word"; readonly index: number };

export interface Place {
  readonly instruction: Instruction;
  readonly part: Part;
}

/** A finding whose span is that of an instruction's arguments, until `underlineParts` makes it the part's. */
export interface PlacedDiagnostic extends Diagnostic {
  readonly place?: Place;
}
