import type { Diagnostic } from "./diagnostics.ts";
import { holdEachLine, type HeldLines } from "./held-lines.ts";

/** Where a program's own words go, as they come. */
export interface OutputLog {
  readonly stdout: (chunk: Uint8Array) => void;
  readonly stderr: (chunk: Uint8Array) => void;
  /** Told when the program has ended: what it said last may be no whole line. */
  readonly end?: () => void;
}

/** How far a step is; what is not given stays as it was told before. */
export interface StepProgress {
  /** So many are done, and so many there will be. */
  readonly bytes?: number;
  readonly total?: number;
  /** What is being done now: an instruction, a layer. */
  readonly now?: string;
}

/** A step that was begun. To call it tells that it ended well, with a word of result. */
export interface Step {
  (result?: string): void;
  readonly progress: (progress: StepProgress) => void;
  /** It ended otherwise; why is told elsewhere. */
  readonly fail: () => void;
}

export interface StepOptions {
  /** It mostly takes no time that a person would notice: a log has it only where it does. */
  readonly isBrief?: boolean;
}

/** How work tells of itself. */
export interface Reporter {
  readonly log: OutputLog;
  /** A step begins. Several may be under way, one within another or side by side. */
  readonly step: (title: string, options?: StepOptions) => Step;
  readonly warn: (diagnostic: Diagnostic) => void;
  /** A reason why the target is built again. */
  readonly explain: (reason: string) => void;
  /** Leaves the terminal to somebody else, where there is one. @returns goes on */
  readonly pause?: (() => () => void) | undefined;
  /** For the stages of a target that has its name before its lines: several targets may use them. */
  readonly stages?: Reporter | undefined;
}

interface Reporting {
  readonly reporter: Pick<Reporter, "step">;
}

/** Does `action` as a step, which ends as that does; its value is no word of result. */
export async function inStep<T>(
  title: string,
  action: (step: Step) => Promise<T>,
  { reporter }: Reporting,
): Promise<T> {
  return endWith(reporter.step(title), action);
}

/** The same for what mostly takes no time that a person would notice. */
export async function inBriefStep<T>(
  title: string,
  action: (step: Step) => Promise<T>,
  { reporter }: Reporting,
): Promise<T> {
  return endWith(reporter.step(title, { isBrief: true }), action);
}

async function endWith<T>(step: Step, action: (step: Step) => Promise<T>): Promise<T> {
  try {
    const result = await action(step);
    step();
    return result;
  } catch (error) {
    step.fail();
    throw error;
  }
}

/** A step of these functions; whoever does not tell how far it is needs no more than its end. */
export function createStep(
  end: (result?: string) => void,
  { progress = ignore, fail = ignore }: Partial<Pick<Step, "progress" | "fail">> = {},
): Step {
  return Object.assign((result?: string) => end(result), { progress, fail });
}

function ignore(): void {
  // Nobody wants to know.
}

/** The same for a target that is built beside others. */
export function nameTargetLines(reporter: Reporter, name: string): Reporter {
  return { ...nameLines(reporter, name), stages: reporter };
}

/** The same for a stage that is built beside others. */
export function nameStageLines(reporter: Reporter, name: string): Reporter {
  return nameLines(reporter.stages ?? reporter, name);
}

/** The same, each line with a name before it. */
export function nameLines(reporter: Reporter, name: string): Reporter {
  const { stdout, stderr, end } = reporter.log;
  const prefix = Buffer.from(`[${name}] `);
  const lines = [prefixLines(prefix, stdout), prefixLines(prefix, stderr)] as const;
  const endLines = (): void => {
    for (const one of lines) one.end();
    end?.();
  };
  return {
    ...reporter,
    log: { stdout: lines[0].write, stderr: lines[1].write, end: endLines },
    step: (title, options) => reporter.step(`${name}: ${title}`, options),
    explain: (reason) => reporter.explain(`${name}: ${reason}`),
    stages: reporter.stages && nameLines(reporter.stages, name),
  };
}

/** Whole lines, so that those of several stages stay apart. A line that has no end yet waits for it. */
function prefixLines(prefix: Uint8Array, write: OutputLog["stdout"]): HeldLines {
  return holdEachLine((line) => write(Buffer.concat([prefix, line, lineEnd])));
}

const lineEnd = Buffer.from("\n");
