import type { RuleCode } from "../../codes.ts";
import type { Span } from "../../diagnostics.ts";
import type { Locator, SourceRange } from "../locate.ts";
import type { Containerfile, Instruction, StageGraph } from "../model.ts";
import type { Place } from "../place.ts";
import type { Names } from "../references.ts";

export interface CheckOptions {
  /** The engine that is to build, where it is known. */
  readonly engine?: KnownEngine;
}

export interface KnownEngine {
  readonly name: string;
  readonly version: string;
  /** The features (`EngineFeature`) that it does not know, each with its first version that does, if there is one. */
  readonly lacks: ReadonlyMap<string, string | undefined>;
}

export interface RuleContext {
  readonly containerfile: Containerfile;
  readonly graph: StageGraph;
  readonly options: CheckOptions;
  readonly locator: Locator;
  readonly names: Names;
}

export interface Finding {
  /** Where: an instruction's arguments, a part of them, a span, or a range of the file. */
  readonly at: Instruction | Place | Span | SourceRange;
  readonly message: string;
  readonly hint: string;
}

/**
 * A rule as data; its severity and its page stand in `codes.ts`. A rule without `check` is one that the parser
 * or the stage graph finds by itself.
 */
export interface Rule {
  readonly code: RuleCode;
  /** What it is about, in one line. */
  readonly summary: string;
  readonly check?: (context: RuleContext) => readonly Finding[];
}
