import { readKeyValues, splitWords } from "../../grammar/grammar.ts";
import { expandWord, type Lookup } from "./expand.ts";
import type {
  ArgumentUse,
  Containerfile,
  Instruction,
  ResolveOptions,
  ScopedArgument,
} from "./model.ts";
import { decodeText, encodeText } from "./text.ts";

/** A variable's value: undefined where it is set to something that only the build knows. */
type Value = string | undefined;

/**
 * The variables at one place of a stage. The Dockerfile reference, "Scope" and "Using ARG variables".
 * It is advanced in place, instruction by instruction: a copy each would make long stages quadratic.
 */
export interface Scope {
  readonly arguments: Map<string, ScopedArgument>;
  readonly environment: Map<string, Value>;
  /** Whether a base image may have set variables that nobody can know from the text. */
  readonly hasUnknownBase: boolean;
}

/** ARGs before the first FROM, and the platform's. */
export interface GlobalScope {
  readonly values: ReadonlyMap<
    string,
    { readonly value: string; readonly origin: "platform" | "global" }
  >;
  readonly lookup: Lookup;
}

export function createScope(start: Partial<Scope> = {}): Scope {
  return {
    arguments: new Map(start.arguments),
    environment: new Map(start.environment),
    hasUnknownBase: start.hasUnknownBase ?? false,
  };
}

export function createGlobalScope(
  containerfile: Containerfile,
  options: ResolveOptions,
  targetStage: string,
): GlobalScope {
  const values = new Map<string, { value: string; origin: "platform" | "global" }>();
  const lookup: Lookup = (name) => values.get(name)?.value;
  for (const [name, value] of platformArguments(options, targetStage)) {
    values.set(name, { value: options.buildArgs.get(name) ?? value, origin: "platform" });
  }
  for (const { name, value } of containerfile.preamble.flatMap((i) =>
    readArguments(i, containerfile.escape),
  )) {
    const expanded =
      options.buildArgs.get(name) ?? expandOrUndefined(value, lookup, containerfile.escape);
    if (expanded !== undefined) values.set(name, { value: expanded, origin: "global" });
  }
  return { values, lookup };
}

/** The Dockerfile reference, "Automatic platform ARGs in the global scope"; TARGETSTAGE is BuildKit's. */
function platformArguments(options: ResolveOptions, targetStage: string): [string, string][] {
  return [
    ...splitPlatform("BUILD", options.buildPlatform),
    ...splitPlatform("TARGET", options.targetPlatform),
    ["TARGETSTAGE", targetStage],
  ];
}

function splitPlatform(prefix: string, platform: string): [string, string][] {
  const [os = "", arch = "", variant = ""] = platform.split("/");
  return [
    [`${prefix}PLATFORM`, platform],
    [`${prefix}OS`, os],
    [`${prefix}OSVERSION`, ""],
    [`${prefix}ARCH`, arch],
    [`${prefix}VARIANT`, variant],
  ];
}

/** ARG's names and defaults, as written. */
export function readArguments(
  { keyword, args }: Instruction,
  escape: string,
): { name: string; value: string | undefined }[] {
  if (keyword !== "ARG") return [];
  return splitWords(decodeText(args), escape).map((word) => {
    const equals = word.indexOf("=");
    return equals === -1
      ? { name: word, value: undefined }
      : { name: word.slice(0, equals), value: word.slice(equals + 1) };
  });
}

function expandOrUndefined(word: Value, lookup: Lookup, escape: "\\" | "`"): Value {
  if (word === undefined) return undefined;
  const expansion = expandWord(word, lookup, escape);
  return expansion.ok ? expansion.value : undefined;
}

/** What a lookup gives within a stage: ENV over ARG. */
export function lookupIn(scope: Scope): Lookup {
  return (name) =>
    scope.environment.has(name) ? scope.environment.get(name) : scope.arguments.get(name)?.value;
}

/** Whether a name that the lookup does not know may still have a value when building. */
export function isUnknown(scope: Scope, name: string): boolean {
  if (scope.environment.has(name)) return scope.environment.get(name) === undefined;
  const argument = scope.arguments.get(name);
  if (argument?.value !== undefined) return false;
  return scope.hasUnknownBase || argument?.origin === "default";
}

/** Their keys or values are variables' own business: RUN gets all ARGs, and what COPY and ADD bring is looked at. */
const withoutUse: ReadonlySet<string> = new Set(["RUN", "COPY", "ADD", "ARG", "ONBUILD", "OUTPUT"]);

/** The ARGs that an instruction names, where its meaning hangs on them. */
export function findArgumentUse(
  {
    instruction,
    scope,
  }: {
    readonly instruction: Instruction;
    readonly scope: Scope;
  },
  buildArgs: ResolveOptions["buildArgs"],
): readonly ArgumentUse[] {
  const { keyword, args } = instruction;
  if (withoutUse.has(keyword) || !args.includes("$")) return [];
  const used = [...scope.arguments.values()].filter((one) => args.includes(one.name));
  const undeclared = [...buildArgs]
    .filter(([name]) => isPredefined(name) && args.includes(name) && !scope.arguments.has(name))
    .map(([name, value]) => ({ name, value, origin: "build-arg" as const }));
  const all = [...used, ...undeclared];
  return all.length === 0 ? [] : [{ instruction, arguments: all }];
}

/** Whether no ARG needs to declare it. Dockerfile reference, "Predefined ARGs" */
export function isPredefined(name: string): boolean {
  return /^(?:HTTPS?|FTP|NO|ALL)_PROXY$/i.test(name);
}

/** What is the same for all stages of a file. */
export interface ScopeContext {
  readonly globals: GlobalScope;
  readonly options: Pick<ResolveOptions, "buildArgs">;
  readonly containerfile: Pick<Containerfile, "escape">;
}

/** Takes an instruction of the stage into account: ARG and ENV. */
export function advanceScope(
  scope: Scope,
  instruction: Instruction,
  { globals, options, containerfile: { escape } }: ScopeContext,
): void {
  if (instruction.keyword === "ENV") setEnvironment(scope, instruction, escape);
  for (const { name, value } of readArguments(instruction, escape)) {
    const given = options.buildArgs.get(name);
    const global = globals.values.get(name);
    if (given !== undefined) scope.arguments.set(name, { name, value: given, origin: "build-arg" });
    else if (value !== undefined) {
      const known = expandKnown(value, scope, escape);
      const word = encodeText(value);
      scope.arguments.set(name, { name, value: known, word, origin: "default" });
    } else {
      scope.arguments.set(name, { name, value: global?.value, origin: global?.origin ?? "none" });
    }
  }
}

/** All of a line's values are expanded with what held before the line, as ENV's reference says. */
function setEnvironment(scope: Scope, instruction: Instruction, escape: "\\" | "`"): void {
  const { pairs } = readKeyValues("ENV", instruction.args, escape);
  const values = pairs.map(({ key, value }) => ({
    name: expandOrUndefined(key, lookupIn(scope), escape),
    value: expandKnown(value, scope, escape),
  }));
  for (const { name, value } of values) if (name !== undefined) scope.environment.set(name, value);
}

/** The value where the text tells it, undefined where it hangs on the base image or cannot be expanded. */
function expandKnown(word: string, scope: Scope, escape: "\\" | "`"): Value {
  const expansion = expandWord(word, lookupIn(scope), escape);
  if (!expansion.ok) return undefined;
  return expansion.unset.some((name) => isUnknown(scope, name)) ? undefined : expansion.value;
}
