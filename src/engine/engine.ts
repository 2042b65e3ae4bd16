export { cleanUpRun, findEngine } from "./engines.ts";
export { engineNames, isEngineName } from "./names.ts";
export {
  type Engine,
  type EngineFlag,
  type EngineFlags,
  type EngineSession,
  type PullPolicy,
  type StageConfigs,
  type StepsRequest,
  type UnseenInputs,
  describeEngine,
} from "./model.ts";
