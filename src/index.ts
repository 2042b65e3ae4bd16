/**
 * xbuild as a library: the language (`parseContainerfile`, `resolveStages`, `checkContainerfile`),
 * the plan (`createPlan`) and the build (`buildImage`). All values are readonly; errors are
 * `XbuildError` with a stable code.
 */
export { buildImage } from "./pipeline/pipeline.ts";
export type {
  BuildRequest,
  BuildResult,
  BuildWorkspace,
  Continued,
  ImageRequest,
  ResultLayer,
  ReuseRequest,
} from "./pipeline/pipeline.ts";
export type { DeliveryRequest, Destination } from "./delivery/delivery.ts";
export type { LayersRequest } from "./layers/layers.ts";
export type { Reporter } from "./reporter.ts";
export { openStore } from "./store/store.ts";
export type { Code, ErrorCode, FindingCode, RuleCode, WarningCode } from "./codes.ts";
export type {
  Containerfile,
  Instruction,
  ResolveOptions,
  Stage,
  StageGraph,
} from "./containerfile/containerfile.ts";
export { parseContainerfile } from "./containerfile/containerfile.ts";
export { checkContainerfile } from "./containerfile/containerfile.ts";
export { resolveStages } from "./containerfile/containerfile.ts";
export { renderDiagnostic, type Diagnostic } from "./diagnostics.ts";
export { findEngine } from "./engine/engine.ts";
export type { Engine, EngineFlags, StepsRequest } from "./engine/engine.ts";
export { XbuildError } from "./errors.ts";
export { parseImageName, type ImageName } from "./oci/oci.ts";
export type { BuildPlan } from "./plan/plan.ts";
export { createPlan } from "./plan/plan.ts";
