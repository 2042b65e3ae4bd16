import { type LeftState, readState, type Store } from "../store/store.ts";
import { findFirst, listByNearness, type NamedStage } from "./last-build.ts";

/** What a stage's last build left in `output/state`. @returns as `readState` */
export function findLastState(build: NamedStage, store: Store): Promise<LeftState | undefined> {
  return findFirst(listByNearness(build), (key) => readState(store, key));
}
