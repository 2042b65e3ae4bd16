import { show, type Visible } from "../../visible.ts";
import type { CliIo } from "../io.ts";
import type { ScreenSize } from "../drawing.ts";
import { noticed, renderEnd, renderLive } from "./step-texts.ts";
import type { OpenStep, StepDisplay } from "./steps.ts";

/** Brief ones that end sooner, in milliseconds, are not drawn: they would flicker. */
const shortest = 150;

/** Steps on a terminal: a line for each that is under way, below all that is said; one that ended stays. */
export function createLiveSteps(io: CliIo): StepDisplay {
  const colors = { color: io.errorColor };
  const open = new Set<OpenStep>();
  let hide: (() => void) | undefined;
  const draw = ({ columns, rows }: ScreenSize): readonly Visible[] => {
    const lasting = [...open].filter((one) => one.own() >= shortest || !one.isBrief);
    const most = Math.max(rows - 2, 1);
    const lines = lasting.slice(0, most).map((step) => renderLive(step, columns, colors));
    const more = lasting.length - lines.length;
    return more === 0 ? lines : [...lines.slice(0, -1), show`  • and ${more + 1} more`];
  };
  return {
    begin: (step) => {
      open.add(step);
      hide ??= io.screen.show(draw);
    },
    progress: () => undefined,
    end: (step, outcome) => {
      open.delete(step);
      if (!step.isBrief || outcome.own >= noticed) io.stderr(renderEnd(step, outcome, colors));
      if (open.size > 0) return;
      hide?.();
      hide = undefined;
    },
  };
}
