import type { Lock } from "../../system/lock.ts";
import type { Store } from "../layout/paths.ts";
import type { Run } from "../runs/runs.ts";
import type { VerifyOptions } from "./findings.ts";
import type { NamedEntry } from "./usage.ts";

/** One examination of a store. */
export interface Examination {
  readonly store: Store;
  readonly options: VerifyOptions;
  /** Where it repairs, what it does that with. */
  readonly repair: Repair | undefined;
}

export interface Repair {
  readonly lock: Lock;
  /** undefined where no blob has to be brought anew. */
  readonly run: Run | undefined;
}

/** The same with what the index names. */
export interface EntriesExamination extends Examination {
  readonly entries: readonly NamedEntry[];
}
