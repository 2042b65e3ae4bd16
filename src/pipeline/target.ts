import type { BuildPlan } from "../plan/plan.ts";
import type { BuildRequest } from "./request.ts";

/** What names this target on this machine: its name (or its context, without one), stage and platform. */
export function nameTarget(request: BuildRequest, plan: BuildPlan): string {
  const target = request.names[0]?.full ?? request.context;
  const stage = plan.target.stage.name ?? String(plan.target.stage.index);
  return [target, stage, request.platform ?? ""].join("\n");
}
