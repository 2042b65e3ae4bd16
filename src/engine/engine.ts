export { cleanUpRun, findEngine } from "./engines.ts";
export { type EngineName, engineNames, isEngineName } from "./names.ts";
export {
  type Engine,
  type EngineFlag,
  type EngineFlags,
  type EngineSession,
  type PullPolicy,
  type StageConfigs,
  type StepsRequest,
  describeEngine,
} from "./model.ts";
