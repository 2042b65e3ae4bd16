import type { PathSyntax } from "../../grammar/grammar.ts";
import type { Span } from "../diagnostics.ts";
import type { PlacedDiagnostic } from "./place.ts";

/**
 * A Containerfile's text is held as one character a byte (latin1), so that offsets are bytes and
 * bytes that are no UTF-8 come through unchanged; `decodeText` gives what a person reads.
 */
export type SourceText = string;

export interface Flag {
  /** Without the leading dashes. */
  readonly name: string;
  /** Quotes removed; undefined for a bare `--flag`. */
  readonly value: string | undefined;
  /** The flag as it stands in the file, dashes and quotes included. */
  readonly span: Span;
}

export interface Heredoc {
  readonly name: string;
  /** Whether variables in the body are expanded (the word was not quoted). */
  readonly expand: boolean;
  /** `<<-`: leading tabs are stripped. */
  readonly chomp: boolean;
  readonly fileDescriptor: number;
  readonly body: SourceText;
}

export interface Instruction {
  /** Upper case. */
  readonly keyword: string;
  /** From the keyword's first byte to the last byte of its last line or heredoc (without that line's end). */
  readonly span: Span;
  readonly endLine: number;
  /** One logical line: continuations joined, comments inside them removed. */
  readonly text: SourceText;
  /** What follows keyword and flags, trimmed. */
  readonly args: SourceText;
  readonly flags: readonly Flag[];
  /** The JSON form's strings, where it has that form. */
  readonly json: readonly string[] | undefined;
  readonly heredocs: readonly Heredoc[];
  /** Where the parts of `text` stand in the file, ascending; each goes up to the next. */
  readonly pieces: readonly TextPiece[];
  /** OUTPUT's alone. Offsets are offsets in `text`. */
  readonly path?: PathSyntax;
}

/** Both offsets count bytes: in an instruction's `text`, and in the file. */
export interface TextPiece {
  readonly text: number;
  readonly source: number;
}

export interface Stage {
  readonly index: number;
  /** As written after AS, lower case; undefined for an unnamed stage. */
  readonly name: string | undefined;
  readonly from: Instruction;
  /** All instructions after FROM, OUTPUT included. */
  readonly instructions: readonly Instruction[];
  readonly output: Instruction | undefined;
}

export interface Containerfile {
  /** As the user named it; `-` is standard input. */
  readonly file: string;
  readonly source: SourceText;
  readonly escape: "\\" | "`";
  /** ARG instructions (and others, which are errors) before the first FROM. */
  readonly preamble: readonly Instruction[];
  readonly stages: readonly Stage[];
  readonly instructions: readonly Instruction[];
  /** Errors and warnings of the text alone, in source order. */
  readonly diagnostics: readonly PlacedDiagnostic[];
}

/** What a name in FROM or `--from=` stands for. */
export type Reference =
  | { readonly kind: "stage"; readonly index: number }
  /** In a plan: a stage of the file whose image is made on its own, and taken from there. */
  | { readonly kind: "built"; readonly index: number; readonly name: string }
  | { readonly kind: "context"; readonly name: string }
  | { readonly kind: "image"; readonly name: string; readonly platform?: BasePlatform }
  | { readonly kind: "scratch" };

/** In a plan: the platform that FROM asks for. */
export interface BasePlatform {
  /** `os/architecture[/variant]` in its one form. */
  readonly text: string;
  /** Whether the result is for another one. */
  readonly isOther: boolean;
}

/** A use of another stage or image by an instruction (COPY --from, RUN --mount=from=). */
export interface Use {
  readonly instruction: Instruction;
  readonly flag: Flag;
  readonly reference: Reference;
}

/** What an instruction reads of the build context, or of a named context. */
export interface ContextRead {
  readonly instruction: Instruction;
  /** The named context; undefined for the build context. */
  readonly context: string | undefined;
  /** Relative to the root, which is ""; undefined where anything may be meant (patterns, variables of the base image). */
  readonly paths: readonly string[] | undefined;
  /** Variables that give the paths, unless the base image sets one of them: then anything may be meant. */
  readonly unless: readonly string[];
  /** A mount shows also what the ignore file leaves out. */
  readonly isMount: boolean;
  /** Whether the step may write there, and what it writes may stay. */
  readonly isWritable?: boolean;
  /** Sources of ADD that variables make remote ones, or may make some. */
  readonly remote?: readonly string[];
}

/** The ARGs in an instruction, as they are there. */
export interface ArgumentUse {
  readonly instruction: Instruction;
  readonly arguments: readonly ScopedArgument[];
}

/** An ARG that is in scope at OUTPUT. */
export interface ScopedArgument {
  readonly name: string;
  /** Its value where it is known; undefined where it has none. */
  readonly value: string | undefined;
  /** The default as it stands in the file, for one whose value only the engine can know. */
  readonly word?: SourceText;
  /** `build-arg` and `platform` values reach the engine by themselves; the others by the file. */
  readonly origin: "build-arg" | "platform" | "global" | "default" | "none";
}

export type InputMode = "local" | "all" | "none";

/** OUTPUT with its flags and path expanded. */
export interface OutputOptions {
  /** Whether `--input` stands there. */
  readonly isInputGiven: boolean;
  readonly instruction: Instruction;
  readonly path: string;
  /** Where the path stands, or all arguments where that begins in another line than they do. */
  readonly pathSpan: Span;
  readonly from: readonly Reference[];
  /** Where the flags stand that name them, likewise. */
  readonly fromSpans: readonly Span[];
  readonly inheritConfig: boolean;
  readonly input: InputMode;
  readonly reuse: "content" | "exact" | undefined;
  readonly compression: "gzip" | "zstd" | "none";
  /** Variables in it that only the base image could define. */
  readonly unknownVariables: readonly string[];
}

export interface ResolvedStage {
  readonly stage: Stage;
  readonly base: Reference;
  /** `FROM --platform=...`, expanded. */
  readonly platform: string | undefined;
  readonly uses: readonly Use[];
  /** What its instructions read of the build context and of named ones; those of its ONBUILD are not its own. */
  readonly reads: readonly ContextRead[];
  /** Instructions other than RUN, COPY and ADD that say something else with another value of an ARG. */
  readonly argumentUses: readonly ArgumentUse[];
  readonly output: OutputOptions | undefined;
  /** ARGs in scope at OUTPUT, in the order of their declaration. */
  readonly argumentsAtOutput: readonly ScopedArgument[];
}

export interface StageGraph {
  readonly stages: readonly ResolvedStage[];
  readonly target: number;
  /** The target and all stages that it uses, directly or not, ascending. */
  readonly needed: readonly number[];
  /** What it was resolved with. */
  readonly options: ResolveOptions;
  readonly diagnostics: readonly PlacedDiagnostic[];
}

export interface ResolveOptions {
  readonly target?: string;
  /** Those that the same call builds beside it; undefined is the last stage. */
  readonly otherTargets?: readonly (string | undefined)[];
  readonly buildArgs: ReadonlyMap<string, string>;
  /** Names given by --build-context. */
  readonly buildContexts: ReadonlySet<string>;
  /** `os/arch[/variant]` of the result and of the machine that builds. */
  readonly targetPlatform: string;
  readonly buildPlatform: string;
}
