export { createAuthor, createConfig, describeMetadata, engineLabel, enginePath } from "./config.ts";
export { createPlan, listPlans, planStage } from "./create-plan.ts";
export { declaredNames } from "./dependencies.ts";
export { drawGraph } from "./draw-graph.ts";
export { type Edit, applyEdits, blank, blankOutputs, omitOutputs } from "./edits.ts";
export { locateStep } from "./locate-step.ts";
export { imageKey, nameOfKey } from "./image-key.ts";
export type { BuildPlan, ImageReference, LayeredStage, StagePlan } from "./model.ts";
export { applyTriggers } from "./triggers.ts";
