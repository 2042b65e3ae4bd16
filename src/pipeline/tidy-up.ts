import { XbuildError } from "../errors.ts";
import { beginTidying, pruneStore } from "../store/store.ts";
import { pruneLeftovers } from "./leftovers.ts";
import type { BuildWorkspace } from "./workspace.ts";

/**
 * Once a day, behind a build that had something to do: what no name needs, and what builds left in the engine's storage,
 * goes when it was not used for as long as `maxAge` says. It says nothing, and fails no build: what cannot be done now,
 * the next day's build does, or `xbuild cache prune`, which says why it cannot.
 */
export async function tidyUp({
  engine,
  store,
  reporter,
  signal,
  maxAge,
}: BuildWorkspace): Promise<void> {
  if (maxAge === undefined || signal.aborted) return;
  try {
    if (!(await beginTidying(store))) return;
    const usedBefore = Date.now() - maxAge;
    const quiet = { ...reporter, warn: () => undefined };
    const limits = { usedBefore, all: false, dryRun: false };
    // First our own: an engine that does not answer may do so for weeks.
    await pruneStore({ ...store, onDamage: undefined, onWait: undefined }, { usedBefore });
    const left = await engine.readLeftovers();
    if (left !== undefined)
      await pruneLeftovers(left, limits, { engine, store, reporter: quiet, signal });
  } catch (error) {
    if (!(error instanceof XbuildError) && !signal.aborted) throw error;
  }
}
