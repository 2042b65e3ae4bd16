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
export { type Edit, applyEdits, blank, blankOutputs, omitOutputs } from "./edits.ts";
export { locateStep } from "./locate-step.ts";
export type {
  BuildPlan,
  BuiltReference,
  ImageReference,
  LayeredStage,
  PlainStage,
  StagePlan,
} from "./model.ts";
export { imageKey } from "./image-key.ts";
export { nameStage, separateStage } from "./separate.ts";
export { applyTriggers } from "./triggers.ts";
