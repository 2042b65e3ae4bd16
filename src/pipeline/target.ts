import type { LayeredStage } from "../plan/plan.ts";
import type { BuildRequest } from "./request.ts";

/** What names this target on this machine: its name (or its context, without one), stage and platform. */
export function nameTarget({ resolved }: LayeredStage, { steps }: BuildRequest): string {
  const stage = resolved.stage.name ?? String(resolved.stage.index);
  return [steps.cacheKey, stage, steps.platform ?? ""].join("\n");
}
