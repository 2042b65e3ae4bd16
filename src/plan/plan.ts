export {
  createAuthor,
  createConfig,
  describeMetadata,
  engineLabel,
  enginePath,
  takeConfig,
} from "./config.ts";
export { createPlan } from "./create-plan.ts";
export { declaredNames } from "./dependencies.ts";
export { type Edit, applyEdits, blank, blankOutputs, omitOutputs } from "./edits.ts";
export { locateStep } from "./locate-step.ts";
export type { BuildPlan, LayeredStage, StagePlan } from "./model.ts";
export { applyTriggers } from "./triggers.ts";
