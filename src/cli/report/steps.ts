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
  /** Milliseconds up to now in which no other step was under way that began within it. */
  readonly own: () => number;
}

export interface StepOutcome {
  readonly result: string | undefined;
  readonly isFailed: boolean;
  /** In milliseconds. */
  readonly took: number;
  /** The same without what other steps told of. */
  readonly own: number;
}

/** A way to show steps. */
export interface StepDisplay {
  readonly begin: (step: OpenStep) => void;
  readonly progress: (step: OpenStep) => void;
  readonly end: (step: OpenStep, outcome: StepOutcome) => void;
}

export interface TrackedSteps {
  readonly step: Reporter["step"];
  /** Ends those that nobody has ended: what they were about has failed. */
  readonly failOpen: () => void;
}

type Ending = Pick<StepOutcome, "result" | "isFailed">;

let count = 0;

/** Keeps which steps are under way. Each is told to `display` until it ends, once. */
export function trackSteps(display: StepDisplay): TrackedSteps {
  const open = new Map<OpenStep, (outcome: Ending) => void>();
  const clocks = new Map<OpenStep, Clock>();
  const begin = (title: string, { isBrief = false }: StepOptions = {}): Step => {
    count += 1;
    // What was done before anything could be told is the first one's.
    const started = count === 1 ? 0 : performance.now();
    const clock = startClock(started);
    const step = {
      id: count,
      title,
      isBrief,
      started,
      progress: {} as StepProgress,
      own: clock.own,
    };
    const around = [...clocks].filter(([{ title: other }]) => title.startsWith(prefixOf(other)));
    for (const [, other] of around) other.pause();
    const end = (outcome: Ending): void => {
      if (!open.delete(step)) return;
      clocks.delete(step);
      for (const [, other] of around) other.resume();
      display.end(step, { ...outcome, took: performance.now() - started, own: clock.own() });
    };
    open.set(step, end);
    clocks.set(step, clock);
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
    failOpen: () => {
      for (const end of open.values()) end({ result: undefined, isFailed: true });
    },
  };
}

interface Clock {
  readonly own: () => number;
  readonly pause: () => void;
  readonly resume: () => void;
}

/** A clock that stands while others run. */
function startClock(started: number): Clock {
  let others = 0;
  let elapsed = 0;
  let since = started;
  const own = (): number => elapsed + (others === 0 ? performance.now() - since : 0);
  return {
    own,
    pause: () => {
      elapsed = own();
      others += 1;
    },
    resume: () => {
      others -= 1;
      since = performance.now();
    },
  };
}

/** The names of target, platform and stage that a title begins with: what is theirs has them, too. */
function prefixOf(title: string): string {
  return title.slice(0, title.lastIndexOf(": ") + 1);
}
