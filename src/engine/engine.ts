export { type EngineName, findEngine } from "./detect.ts";
export {
  type Engine,
  type EngineBuild,
  type EngineFlag,
  type EngineLog,
  type Mount,
  type PullPolicy,
  type RunContext,
  describeEngine,
} from "./model.ts";
