import type { CliIo } from "../io.ts";
import { noticed, renderBegin, renderEnd, renderGoing } from "./step-texts.ts";
import type { OpenStep, StepDisplay } from "./steps.ts";

/** Where nothing is written over, a line every so many milliseconds is enough to see that it goes on. */
const interval = 10_000;

/** Milliseconds before it is looked again whether a brief step has become one to tell of. */
const soonest = 100;

/** Steps in a log: a line where one begins and ends, and now and then one in between. */
export function createPlainSteps(io: CliIo): StepDisplay {
  const colors = { color: io.errorColor };
  const timers = new Map<OpenStep, NodeJS.Timeout>();
  const repeat = (step: OpenStep): void => {
    const say = (): void => io.stderr(renderGoing(step));
    timers.set(step, setInterval(say, interval).unref());
  };
  const announce = (step: OpenStep): void => {
    io.stderr(renderBegin(step, colors));
    repeat(step);
  };
  const announced = new Set<OpenStep>();
  const wait = (step: OpenStep): void => {
    const look = (): void => {
      if (step.own() < noticed) return wait(step);
      announced.add(step);
      announce(step);
    };
    timers.set(step, setTimeout(look, Math.max(noticed - step.own(), soonest)).unref());
  };
  return {
    begin: (step) => (step.isBrief ? wait(step) : announce(step)),
    progress: () => undefined,
    end: (step, outcome) => {
      clearTimeout(timers.get(step));
      timers.delete(step);
      // A brief one that was not told of has no end either, unless it took its time without letting go.
      const isTold = !step.isBrief || announced.delete(step) || outcome.own >= noticed;
      if (isTold) io.stderr(renderEnd(step, outcome, colors));
    },
  };
}
