import type { EngineBuild, EngineSession, SessionWorkspace } from "../model.ts";
import { noteKeys } from "../notes.ts";
import { evaluateStage } from "./evaluate.ts";
import { runLayering } from "./layering.ts";
import type { Session, SessionEngine } from "./session-model.ts";
import { assertOwnNames, listSources } from "./sources.ts";

/**
 * Uses a builder for one build. Each call is whole in itself: the text, the context and the images that it names; what a
 * builder keeps of it is its cache's. So any call can begin again on another builder.
 */
export async function openSession(
  engine: SessionEngine,
  build: EngineBuild,
  work: SessionWorkspace,
): Promise<EngineSession> {
  assertOwnNames(build);
  await work.run.note(noteKeys.engine, JSON.stringify([engine.name, ...engine.options]));
  const session: Session = {
    ...work,
    engine,
    build,
    builders: await engine.builders(),
    seat: { current: undefined },
    sources: listSources(build),
    told: new Set(),
  };
  return {
    evaluateStage: (stage, run = {}) => evaluateStage(session, stage, run),
    runLayering: (stage, run) => runLayering(session, stage, run),
    restoreNames: (text) => text,
    abandon: () => Promise.resolve(),
    end: () => {
      session.seat.current?.release();
      session.seat.current = undefined;
      return Promise.resolve();
    },
  };
}
