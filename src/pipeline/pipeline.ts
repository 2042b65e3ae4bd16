export { buildImage } from "./build.ts";
export { cleanUpDeadRuns } from "./dead-runs.ts";
export { describeEvents } from "./events.ts";
export type {
  BuildRequest,
  BuildResult,
  Continued,
  ImageRequest,
  ResultLayer,
  ReuseRequest,
} from "./request.ts";
export type { BuildWorkspace } from "./workspace.ts";
