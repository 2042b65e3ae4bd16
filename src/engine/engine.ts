export { quoteItem } from "./quote-item.ts";
export {
  blobsContext,
  declaresEpoch,
  layersContext,
  lowerEnvironment,
  lowerPlain,
  lowerSteps,
  mountedNames,
  renderMounts,
  tellUnknownFile,
} from "./buildkit/lower.ts";
export { withoutOwn } from "./buildkit/metadata.ts";
export { assertOwnNames, nameBuiltSources, nameStageSource } from "./buildkit/sources.ts";
export { cleanUpRun, findEngine, findEngines, idleEngine } from "./engines.ts";
export { builderFlags, type EngineName, engineNames, isEngineName } from "./names.ts";
export {
  blobsKey,
  type Engine,
  type EngineFlag,
  type EngineFlags,
  type EngineSession,
  type ImagePlace,
  type Leftover,
  type LeftoverChoice,
  type Leftovers,
  type RemovedLeftovers,
  type SentDirectory,
  type ProgramInput,
  type PullPolicy,
  type StepsRequest,
  type UnseenInputs,
} from "./model.ts";
export { describeEngine } from "./versions.ts";
