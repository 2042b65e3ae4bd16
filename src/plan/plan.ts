export { createAuthor, createConfig, describeMetadata, engineLabel, enginePath } from "./config.ts";
export { findBottom } from "./bottoms.ts";
export { createPlan, listPlans, planStage } from "./create-plan.ts";
export { declaredNames } from "./dependencies.ts";
export { drawGraph } from "./draw-graph.ts";
export {
  type Edit,
  applyEdits,
  blank,
  blankOutputs,
  cutText,
  omitOutputs,
  omitWithin,
} from "./edits.ts";
export { hasHeredocs, readHeredocs, type ShellStep, type StageStart } from "./heredocs.ts";
export { locateStep } from "./locate-step.ts";
export { imageKey } from "./image-key.ts";
export type { BuildPlan, ImageReference, LayeredStage, StagePlan } from "./model.ts";
export { narrowPlan } from "./narrow-plan.ts";
export { applyTriggers } from "./triggers.ts";
