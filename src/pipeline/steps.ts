// The steps of a build that has something to do, as `build.ts` loads them: one that has nothing to do loads none.
export { adoptPrevious } from "./adopt.ts";
export { assertRunnable } from "./assert-runnable.ts";
export { tellReasons } from "./explain.ts";
export type { CollectedImage } from "./collect-image.ts";
export { makeImage } from "./make-image.ts";
export { adaptImage, makePortable } from "./make-portable.ts";
export { type EarlierImages, findPrevious } from "./previous.ts";
export { readRemotes } from "./read-remotes.ts";
export {
  createStageBuilds,
  rememberKeys,
  type StageBuilds,
  type StageSources,
} from "./stage-builds.ts";
export { withAnswers } from "../delivery/delivery.ts";
export { withRun } from "../store/store.ts";
export { tidyUp } from "./tidy-up.ts";
export { withoutUseless } from "./without-useless.ts";
