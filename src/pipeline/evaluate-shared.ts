import { nameStageLines } from "../reporter.ts";
import { withRun } from "../store/store.ts";
import { evaluateStages, withSession } from "./run-steps.ts";
import { loadStages } from "./load-stages.ts";
import type { StageInputs } from "./stage-inputs.ts";
import type { Build, BuildRunWorkspace } from "./workspace.ts";

/** How stages are built on the way to others. */
export interface SharedSources {
  readonly inputs: StageInputs;
  /** With the images of the stages that it uses. */
  readonly complete: (build: Build) => Promise<Build>;
  /** Makes the image of a stage, where it is one of those that others take layers of. */
  readonly make: (index: number) => Promise<unknown>;
  /** Told of what was begun, so that it is waited for, and stops the others where it fails. */
  readonly track: <T>(begun: Promise<T>) => Promise<T>;
}

/**
 * Has the engine build the stages without OUTPUT that several images are built with, before these are built side by
 * side: so each of their steps runs once, and is found in the cache by all.
 */
export async function evaluateShared(
  { plan }: Build,
  { inputs, complete, make, track }: SharedSources,
  work: BuildRunWorkspace,
): Promise<void> {
  if (!work.shared.isParallel || inputs.plans.size < 2) return;
  const stages = plan.needed.filter(
    ({ stage: { index } }) => index !== plan.target.index && isShared(index, inputs),
  );
  await Promise.all(
    stages.map(async ({ stage: { index } }) => {
      const build = await inputs.resolve(index);
      const key = build.inputs.key ?? JSON.stringify([build.request.steps.platform ?? "", index]);
      const begin = async (): Promise<void> => {
        if (inputs.plans.has(index)) await make(index);
        const ready = await complete(build);
        await work.shared.limit(() => evaluate(ready, work));
      };
      await work.shared.evaluateStage(key, () => track(begin()));
    }),
  );
}

function isShared(index: number, { plans }: StageInputs): boolean {
  const users = [...plans.values()].filter(({ needed, target }) =>
    needed.some(({ stage }) => stage.index === index && stage.index !== target.index),
  );
  return users.length > 1 || (users.length === 1 && plans.has(index));
}

function evaluate(build: Build, work: BuildRunWorkspace): Promise<void> {
  work.signal.throwIfAborted();
  return withRun(work.store, async (run) => {
    const reporter = nameStageLines(work.reporter, build.plan.target.name);
    const inRun = { ...work, run, reporter };
    await loadStages(build, inRun);
    await withSession(build, inRun, (session) => evaluateStages(build, session, inRun));
  });
}
