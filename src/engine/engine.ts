export { cleanUpRun, engineNames, findEngine, isEngineName } from "./engines.ts";
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
