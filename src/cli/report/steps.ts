import {
  createStep,
  type Reporter,
  type Step,
  type StepOptions,
  type StepProgress,
} from "../../reporter.ts";

/** A step under way. */
export interface OpenStep {
  /** Counted from 1 in a process, whoever tells of it. */
  readonly id: number;
  readonly title: string;
  readonly isBrief: boolean;
  /** When it began, in milliseconds since the process did (`performance.now`). */
  readonly started: number;
  /** All that was told last. */
  readonly progress: StepProgress;
}

export interface StepOutcome {
  readonly result: string | undefined;
  readonly isFailed: boolean;
  /** In milliseconds. */
  readonly took: number;
}

/** A way to show steps. */
export interface StepDisplay {
  readonly begin: (step: OpenStep) => void;
  readonly progress: (step: OpenStep) => void;
  readonly end: (step: OpenStep, outcome: StepOutcome) => void;
}

export interface TrackedSteps {
  readonly step: Reporter["step"];
  /** Those that are under way, the oldest first. */
  readonly open: ReadonlySet<OpenStep>;
  /** Ends those that nobody has ended: what they were about has failed. */
  readonly failOpen: () => void;
}

let count = 0;

/** Keeps which steps are under way. Each is told to `display` until it ends, once. */
export function trackSteps(display: StepDisplay): TrackedSteps {
  const open = new Map<OpenStep, (outcome: Omit<StepOutcome, "took">) => void>();
  const begin = (title: string, { isBrief = false }: StepOptions = {}): Step => {
    count += 1;
    // What was done before anything could be told is the first one's.
    const started = count === 1 ? 0 : performance.now();
    const step = { id: count, title, isBrief, started, progress: {} as StepProgress };
    const end = (outcome: Omit<StepOutcome, "took">): void => {
      if (open.delete(step)) display.end(step, { ...outcome, took: performance.now() - started });
    };
    open.set(step, end);
    display.begin(step);
    return createStep((result) => end({ result, isFailed: false }), {
      progress: (told) => {
        if (!open.has(step)) return;
        step.progress = { ...step.progress, ...told };
        display.progress(step);
      },
      fail: () => end({ result: undefined, isFailed: true }),
    });
  };
  return {
    step: begin,
    get open() {
      return new Set(open.keys());
    },
    failOpen: () => {
      for (const end of open.values()) end({ result: undefined, isFailed: true });
    },
  };
}
