import { type BuildPlan, listPlans, planStage } from "../plan/plan.ts";
import type { BuildRequest } from "./request.ts";
import { resolveInputs } from "./resolve-inputs.ts";
import { createOnce } from "./shared.ts";
import type { Build, BuildWorkspace } from "./workspace.ts";

/** What the images of a file's stages depend on, each found out when somebody wants to know it, and once. */
export interface StageInputs {
  /** The target's plan, and those of the stages that it uses, directly or not. */
  readonly plans: ReadonlyMap<number, BuildPlan>;
  /** The build of a stage, by its index. Nothing is built for it. */
  readonly resolve: (index: number) => Promise<Build>;
  /** The same for the target as other targets have it, where it is a stage of theirs. */
  readonly resolveAsStage: (index: number) => Promise<Build>;
  /** Looks once whether a stage's last image is made with others than it would be now. */
  readonly once: (index: number, isStale: () => Promise<boolean>) => Promise<boolean>;
}

export interface Target {
  readonly plan: BuildPlan;
  readonly request: BuildRequest;
}

export function createStageInputs(target: Target, work: BuildWorkspace): StageInputs {
  const once = createOnce<Build>();
  const plans = new Map(listPlans(target.plan).map((plan) => [plan.target.index, plan]));
  const asStage = withoutDelivery(target.request);
  const resolve = (index: number): Promise<Build> =>
    once(String(index), () => resolveStage(index, target.request));
  const resolveAsStage = (index: number): Promise<Build> =>
    index === target.plan.target.index
      ? once("as stage", () => resolveStage(index, asStage))
      : resolve(index);
  const resolveStage = async (index: number, ofTarget: BuildRequest): Promise<Build> => {
    const { containerfile, graph } = target.plan;
    const plan = plans.get(index) ?? planStage(containerfile, graph, index);
    const isTarget = plan === target.plan;
    const request = isTarget ? ofTarget : asStage;
    const keys = plan.dependencies.built.map(
      async (one) => [one.index, (await resolve(one.index)).inputs] as const,
    );
    return resolveInputs({ plan, request, keys: new Map(await Promise.all(keys)) }, work);
  };
  const looked = createOnce<boolean>();
  return {
    plans,
    resolve,
    resolveAsStage,
    once: (index, isStale) => looked(String(index), isStale),
  };
}

/** A stage on the way to the target: it has no name, goes nowhere, and what the command line says of the image is not its own. */
function withoutDelivery(request: BuildRequest): BuildRequest {
  const { delivery } = request;
  return {
    ...request,
    image: { labels: new Map(), annotations: {} },
    delivery: { ...delivery, names: [], pushes: [], destinations: [], load: false },
  };
}
