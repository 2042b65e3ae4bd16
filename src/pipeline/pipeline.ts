export { buildImage } from "./build.ts";
export { buildIntoList, buildPlatforms, type IndexResult } from "./build-platforms.ts";
export { type ArrangedBases, arrangeKnown } from "./arrange-bases.ts";
export { withBases } from "./base-entries.ts";
export { collectDirectory, type CollectRequest } from "./collect-directory.ts";
export { type ImagePlan, readPlan } from "./layer-plan/read-plan.ts";
export type { PlanRow } from "./layer-plan/describe-plan.ts";
export { renderPlanFile } from "./layer-plan/plan-file.ts";
export { prepareDirectory } from "./prepare-directory.ts";
export type { PlatformBuild } from "./side-by-side.ts";
export { cleanUpDeadRuns } from "./dead-runs.ts";
export { composeImage } from "./describe-image.ts";
export { describeEvents } from "./events.ts";
export { assertDirectories } from "./hash-directories.ts";
export { measureLeftovers, pruneLeftovers, type StoredLeftovers } from "./leftovers.ts";
export type {
  BuildRequest,
  BuildResult,
  Continued,
  HistorySource,
  ImageRequest,
  ResultLayer,
  ReuseRequest,
  TagPattern,
  StageResult,
} from "./request.ts";
export type {
  ChangedLayer,
  Comparison,
  LayerSum,
  NewLayer,
  PackageChanges,
  RemovedLayer,
} from "./comparison/model.ts";
export { readSourceConfig, takeIn, type TakenIn } from "./take-in.ts";
export { createShared } from "./shared.ts";
export type { CallerWorkspace as BuildWorkspace, Shared } from "./workspace.ts";
