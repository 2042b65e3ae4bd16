import type { Diagnostic } from "./diagnostics.ts";

/** Where a program's own words go, as they come. */
export interface OutputLog {
  readonly stdout: (chunk: Uint8Array) => void;
  readonly stderr: (chunk: Uint8Array) => void;
  /** Told when the program has ended: what it said last may be no whole line. */
  readonly end?: () => void;
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
  /** For the stages of a target that has its name before its lines: several targets may use them. */
  readonly stages?: Reporter | undefined;
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
    step: (title) => reporter.step(`${name}: ${title}`),
    progress: (text) => reporter.progress(`${name}: ${text}`),
    explain: (reason) => reporter.explain(`${name}: ${reason}`),
    stages: reporter.stages && nameLines(reporter.stages, name),
  };
}

const newline = "\n".charCodeAt(0);

interface Lines {
  readonly write: OutputLog["stdout"];
  /** Writes what is there of a line that has no end. */
  readonly end: () => void;
}

/** Whole lines, so that those of several stages stay apart. A line that has no end yet waits for it. */
function prefixLines(prefix: Uint8Array, write: OutputLog["stdout"]): Lines {
  let rest = Buffer.alloc(0);
  const end = (): void => {
    if (rest.length > 0) write(Buffer.concat([prefix, rest, Buffer.from("\n")]));
    rest = Buffer.alloc(0);
  };
  return {
    end,
    write: (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      for (let at = rest.indexOf(newline); at >= 0; at = rest.indexOf(newline)) {
        write(Buffer.concat([prefix, rest.subarray(0, at + 1)]));
        rest = rest.subarray(at + 1);
      }
      if (rest.length >= longest) end();
    },
  };
}

/** Bytes of a line that are waited for. */
const longest = 64 * 1024;
