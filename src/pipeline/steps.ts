// The steps of a build that has something to do, as `build.ts` loads them: one that has nothing to do loads none.
export { adoptPrevious } from "./adopt.ts";
export { findBases } from "./bases.ts";
export { collectImage } from "./collect-image.ts";
export { confirmInputs } from "./confirm-inputs.ts";
export { tellReasons } from "./explain.ts";
export { prepareLayers } from "./prepare-layers.ts";
export { findPrevious, type EarlierImages } from "./previous.ts";
export { readRemotes } from "./read-remotes.ts";
export { pullPending } from "./resolve-inputs.ts";
export { evaluateStages, runLayering, withSession } from "./run-steps.ts";
export { withRun } from "../store/store.ts";
export { withoutUseless } from "./without-useless.ts";
