export {
  createAuthor,
  createConfig,
  describeMetadata,
  engineLabel,
  enginePath,
  takeConfig,
} from "./config.ts";
export { createPlan, listPlans, planStage } from "./create-plan.ts";
export { declaredNames } from "./dependencies.ts";
export { drawGraph } from "./draw-graph.ts";
export { type Edit, applyEdits, blank, blankOutputs, omitOutputs } from "./edits.ts";
export { locateStep } from "./locate-step.ts";
export type { BuildPlan, BuiltReference, LayeredStage, PlainStage, StagePlan } from "./model.ts";
export { imageKey, nameStage, separateStage } from "./separate.ts";
export { applyTriggers } from "./triggers.ts";
