export { epochVariable } from "./arguments.ts";
export { type EvaluatedConfigs, createAuthor, createConfig, describeMetadata } from "./config.ts";
export { createPlan } from "./create-plan.ts";
export { declaredNames } from "./dependencies.ts";
export { locateStep } from "./locate-step.ts";
export { lowerFile, lowerLayering, pinImages } from "./lower.ts";
export type { BuildPlan, LayeringImages, PinnedImages, StageBuild } from "./model.ts";
