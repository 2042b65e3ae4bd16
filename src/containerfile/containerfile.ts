export { type Lookup, expandWord } from "./expand.ts";
export { createIgnoreMatcher, hasExceptions, parseIgnoreFile } from "./ignore.ts";
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
export { isPredefined, readArguments } from "./scope.ts";
export { resolveStages } from "./stages.ts";
export { decodeText, encodeText, toSourceText } from "./text.ts";
export { underlineParts } from "./view/underline.ts";
