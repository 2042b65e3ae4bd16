export { buildImage } from "./build.ts";
export { buildIntoList, buildPlatforms, type IndexResult } from "./build-platforms.ts";
export type { PlatformBuild } from "./side-by-side.ts";
export { cleanUpDeadRuns } from "./dead-runs.ts";
export { describeEvents } from "./events.ts";
export { assertDirectories } from "./hash-directories.ts";
export type {
  BuildRequest,
  BuildResult,
  Continued,
  ImageRequest,
  ResultLayer,
  ReuseRequest,
} from "./request.ts";
export { createShared } from "./shared.ts";
export type { CallerWorkspace as BuildWorkspace, Shared } from "./workspace.ts";
