import { isOnlyFirst } from "../../system/containment.ts";
import type { CallContext } from "./commands.ts";
import type { StageBeginning } from "./user-log.ts";

/** Finds out that the steps of a call are over while the engine is still at work. */
export interface StepsOver extends Required<Pick<CallContext, "onContained">> {
  readonly onStage: StageBeginning;
}

/**
 * Of a call whose last stage runs nothing: when the engine begins with that, and the PID namespace of the call has no
 * other process than the engine, nothing is left of the steps.
 */
export function watchSteps(
  lastStage: Pick<StageBeginning, "number" | "name">,
  over: () => void,
): StepsOver {
  let unshare: number | undefined;
  let isOver = false;
  return {
    onContained: (pid) => (unshare = pid),
    onStage: {
      ...lastStage,
      begins: () => {
        if (isOver || unshare === undefined || !isOnlyFirst(unshare)) return;
        isOver = true;
        over();
      },
    },
  };
}
