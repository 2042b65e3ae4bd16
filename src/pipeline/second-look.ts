import { inBriefStep } from "../reporter.ts";
import type { Build, BuildRunWorkspace } from "./workspace.ts";

/** The look at the inputs when no step reads them any more. */
export interface SecondLook {
  /** Begins it; where steps had to run once more, anew. */
  readonly begin: () => void;
  /** What the last one came to; it begins now where none has. */
  readonly last: () => Promise<Build>;
  /** Ends when none is under way any more, however they ended. */
  readonly settle: () => Promise<void>;
}

/** It may begin while an engine elsewhere still sends what the steps wrote. @param confirm does it */
export function createSecondLook(
  confirm: () => Promise<Build>,
  work: Pick<BuildRunWorkspace, "reporter">,
): SecondLook {
  const looks: Promise<Build>[] = [];
  const begin = (): Promise<Build> => {
    const look = inBriefStep("Looking for changes meanwhile", confirm, work);
    // Where the steps fail after all, nobody asks.
    void look.catch(() => undefined);
    looks.push(look);
    return look;
  };
  return {
    begin: () => void begin(),
    last: () => looks.at(-1) ?? begin(),
    settle: async () => void (await Promise.allSettled(looks)),
  };
}
