/**
 * xbuild as a library: the language (`parseContainerfile`, `resolveStages`, `checkContainerfile`),
 * the plan (`createPlan`) and the build (`buildImage`). All values are readonly; errors are
 * `XbuildError` with a stable code.
 */
export { buildImage } from "./build.ts";
export type {
  BuildPorts,
  BuildReporter,
  BuildRequest,
  BuildResult,
  Destination,
  EngineFlags,
  ResultLayer,
} from "./build/request.ts";
export type { Code, ErrorCode, FindingCode, RuleCode, WarningCode } from "./codes.ts";
export type {
  Containerfile,
  Instruction,
  ResolveOptions,
  Stage,
  StageGraph,
} from "./containerfile/model.ts";
export { parseContainerfile } from "./containerfile/parse.ts";
export { checkContainerfile } from "./containerfile/rules.ts";
export { resolveStages } from "./containerfile/stages.ts";
export { renderDiagnostic, type Diagnostic } from "./diagnostics.ts";
export { findEngine } from "./engine/detect.ts";
export type { Engine, EngineBuild } from "./engine/model.ts";
export { XbuildError } from "./errors.ts";
export { parseImageName, type ImageName } from "./oci/reference.ts";
export type { BuildPlan } from "./plan/model.ts";
export { createPlan } from "./plan/plan.ts";
