/**
 * xbuild as a library: the language (`parseContainerfile`, `resolveStages`, `checkContainerfile`),
 * the plan (`createPlan`) and the build (`buildImage`, `buildPlatforms`). All values are readonly; errors are
 * `XbuildError` with a stable code.
 */
export {
  buildImage,
  buildPlatforms,
  type BuildRequest,
  type BuildResult,
  type BuildWorkspace,
  type Continued,
  type ImageRequest,
  type IndexResult,
  type PlatformBuild,
  type ResultLayer,
  type ReuseRequest,
} from "./pipeline/pipeline.ts";
export type { DeliveryRequest, Destination } from "./delivery/delivery.ts";
export type { LayersRequest } from "./layers/layers.ts";
export type { Reporter, Step, StepOptions, StepProgress } from "./reporter.ts";
export { openStore } from "./store/store.ts";
export type { Code, ErrorCode, FindingCode, RuleCode, WarningCode } from "./codes.ts";
export {
  checkContainerfile,
  type Containerfile,
  type Instruction,
  parseContainerfile,
  type ResolveOptions,
  resolveStages,
  type Stage,
  type StageGraph,
} from "./containerfile/containerfile.ts";
export { renderDiagnostic, type Diagnostic } from "./diagnostics.ts";
export { type Engine, type EngineFlags, findEngine, type StepsRequest } from "./engine/engine.ts";
export { XbuildError } from "./errors.ts";
export { parseImageName, type ImageName } from "./oci/oci.ts";
export { type BuildPlan, createPlan } from "./plan/plan.ts";
