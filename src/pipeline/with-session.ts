import type { EngineSession } from "../engine/engine.ts";
import { warnLeft } from "./dead-runs.ts";
import type { Build, BuildRunWorkspace } from "./workspace.ts";

/** Does `action` in a session of the engine and leaves nothing of it in the engine's storage, whatever happens. */
export async function withSession<T>(
  build: Build,
  work: BuildRunWorkspace,
  action: (session: EngineSession) => Promise<T>,
): Promise<T> {
  const { plan, request, inputs } = build;
  const used = { plan, steps: request.steps, images: inputs.images };
  const session = await work.engine.openSession(used, work);
  try {
    const made = await action(session);
    // What follows may take long: nothing is kept for it that it does not need.
    await Promise.all([endSession(session, work), work.run.discardWork()]);
    return made;
  } catch (error) {
    // A call that ended well has removed its containers; one that failed or was stopped may not have.
    await session.abandon();
    await endSession(session, work);
    throw error;
  }
}

/** What could not be given up stays written down in the run's directory, for the next cleaner. */
async function endSession(session: EngineSession, work: BuildRunWorkspace): Promise<void> {
  try {
    await session.end();
  } catch (error) {
    work.run.leave();
    warnLeft(work.run.directory, error, work);
  }
}
