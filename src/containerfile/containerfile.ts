export { type Lookup, expandWord } from "./expand.ts";
export {
  bodyHint,
  describeBodyFault,
  type HeredocStep,
  isHeredocStep,
  readHeredocStep,
  readTrigger,
} from "./heredocs.ts";
export { createIgnoreMatcher, hasExceptions, parseIgnoreFile } from "./ignore.ts";
export { findArguments } from "./locate.ts";
export type {
  Containerfile,
  ContextRead,
  Flag,
  Instruction,
  OutputOptions,
  Reference,
  ResolveOptions,
  ResolvedStage,
  ScopedArgument,
  SourceText,
  Stage,
  StageGraph,
} from "./model.ts";
export { parseContainerfile } from "./parse.ts";
export type { PlacedDiagnostic } from "./place.ts";
export { checkContainerfile, rules } from "./rules.ts";
export { type EngineFeature, needsVersion } from "./rules/engines.ts";
export { mistypesOutput } from "./rules/instructions.ts";
export type { CheckOptions } from "./rules/model.ts";
export {
  advanceScope,
  createGlobalScope,
  createScope,
  isPredefined,
  lookupIn,
  readArguments,
  type Scope,
  type ScopeContext,
} from "./scope.ts";
export { resolveStages } from "./stages.ts";
export { decodeText, encodeText, toSourceText } from "./text.ts";
export { underlineParts } from "./view/underline.ts";
