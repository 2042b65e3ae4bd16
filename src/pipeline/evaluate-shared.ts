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
  const users = countUsers(inputs);
  const stages = plan.needed.filter(({ stage: { index } }) => {
    const used = users.get(index) ?? 0;
    const isShared = used > 1 || (used === 1 && inputs.plans.has(index));
    return index !== plan.target.index && isShared;
  });
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

/** With how many images a stage is built that is not theirs, by its index. */
function countUsers({ plans }: StageInputs): ReadonlyMap<number, number> {
  const users = new Map<number, number>();
  for (const { needed, target } of plans.values())
    for (const { stage } of needed)
      if (stage.index !== target.index) users.set(stage.index, (users.get(stage.index) ?? 0) + 1);
  return users;
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
