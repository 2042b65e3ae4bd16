import type { Workspace } from "../delivery/delivery.ts";
import { cleanUpRun, type Engine } from "../engine/engine.ts";
import { XbuildError } from "../errors.ts";
import { inBriefStep } from "../reporter.ts";
import { findDeadRuns } from "../store/store.ts";
import type { Continued } from "./request.ts";

/** What is needed to clean up. The engine is the one at hand; others are looked for where a run has used them. */
export interface CleaningWorkspace extends Pick<Workspace, "store" | "reporter" | "signal"> {
  readonly engine: Engine | undefined;
  /**
   * Starts over where ordinary users have all ids of the container: files of the container's other users can be
   * read, and removed, in the engine's user namespace alone.
   */
  readonly enterNamespace?: () => Promise<number | undefined>;
}

/**
 * Cleans up after runs that were killed: processes, working containers and names in the engine's storage, and
 * their directories. One that cannot be cleaned is told of, left to the next cleaner, and stops nobody.
 */
export async function cleanUpDeadRuns(work: CleaningWorkspace): Promise<Continued | undefined> {
  const found = await findDeadRuns(work.store);
  if (found === undefined) return undefined;
  const status = await work.enterNamespace?.();
  if (status !== undefined) return { continuedElsewhere: status };
  await inBriefStep("Cleaning up after builds that were killed", () => cleanUp(found, work), work);
  return undefined;
}

type DeadRuns = NonNullable<Awaited<ReturnType<typeof findDeadRuns>>>;

async function cleanUp(found: DeadRuns, work: CleaningWorkspace): Promise<void> {
  for (const dead of await found.claim()) {
    try {
      await cleanUpRun(dead.notes, work.engine, work);
      await dead.remove();
    } catch (error) {
      warnLeft(dead.directory, error, work);
    }
  }
}

/** Tells of a run's directory that stays for the next cleaner. */
export function warnLeft(
  directory: string,
  error: unknown,
  { reporter, signal }: Pick<Workspace, "reporter" | "signal">,
): void {
  if (signal.aborted) return;
  if (!(error instanceof XbuildError)) throw error;
  reporter.warn({
    code: "run-left",
    severity: "warning",
    message: `${directory} could not be cleaned up: ${error.message}`,
    hint: error.hint ?? "leave it to the next build, which tries again",
  });
}
