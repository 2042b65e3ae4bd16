import { chooseReuse, type Reuse } from "../layers/layers.ts";
import { type LeftState, readState, type Store } from "../store/store.ts";
import type { BuildRequest } from "./request.ts";
import { findFirst, listByNearness, type NamedStage } from "./last-build.ts";

/** What a stage's last build left in `output/state`. @returns as `readState` */
export function findLastState(build: NamedStage, store: Store): Promise<LeftState | undefined> {
  return findFirst(listByNearness(build), (key) => readState(store, key));
}

/**
 * What the times in the layers of a build are: those of the files, or the epoch's. Nobody asks where a layer of equal content
 * may be kept whatever its times are.
 */
export function describeTimes(
  { steps: { epoch } }: Pick<BuildRequest, "steps">,
  reuse: Reuse | undefined,
): string {
  const isExact = chooseReuse({ reuse, epoch }) === "exact";
  return isExact ? `exact ${epoch ?? "as in the files"}` : anyTimes;
}

const anyTimes = "any";

/** Whether layers with these times are what a build would pack of the same files. */
export function hasTimes(state: LeftState, times: string): boolean {
  return times === anyTimes || state.times === times;
}
