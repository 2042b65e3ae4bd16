export { buildImage } from "./build.ts";
export { cleanDeadRuns } from "./cleanup.ts";
export { addNames } from "./engine-names.ts";
export { describeEvents } from "./events.ts";
export { renderCalls } from "./render-calls.ts";
export type {
  BuildPorts,
  BuildReporter,
  BuildRequest,
  BuildResult,
  Continued,
  Destination,
  EngineFlags,
  ResultLayer,
  TransferPorts,
} from "./request.ts";
