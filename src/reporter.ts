import type { Diagnostic } from "./diagnostics.ts";

/** Where a program's own words go, as they come. */
export interface OutputLog {
  readonly stdout: (chunk: Uint8Array) => void;
  readonly stderr: (chunk: Uint8Array) => void;
}

/** How work tells of itself. */
export interface Reporter {
  readonly log: OutputLog;
  /** A step begins; the function that is returned tells that it ended, with a word of result. */
  readonly step: (title: string) => (result?: string) => void;
  readonly warn: (diagnostic: Diagnostic) => void;
  /** How far the step is that runs, for a terminal: it takes the place of what was said last. */
  readonly progress: (text: string) => void;
  /** A reason why the target is built again. */
  readonly explain: (reason: string) => void;
}
