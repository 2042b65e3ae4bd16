import { suggestName } from "../suggest.ts";
import { findCircles, findNeeded } from "./graph.ts";
import { createLocator } from "./locate.ts";
import type {
  ArgumentUse,
  Containerfile,
  ContextRead,
  Reference,
  ResolvedStage,
  ResolveOptions,
  Stage,
  StageGraph,
  Use,
} from "./model.ts";
import { readOutput } from "./output.ts";
import { sortDiagnostics } from "./parse.ts";
import type { PlacedDiagnostic } from "./place.ts";
import { createNames, findNumbered, findStage, type Names } from "./references.ts";
import { type FindReference, listReads } from "./reads.ts";
import {
  advanceScope,
  createGlobalScope,
  createScope,
  findArgumentUse,
  type Scope,
} from "./scope.ts";
import { report, type ScopedInstruction, type StageContext } from "./stage-context.ts";
import { findUses, resolvePlatform, resolveStageBase } from "./stage-names.ts";

/**
 * Finds out what every name in a file stands for and which stages a target needs. Never throws: what
 * is wrong is told, a name that means nothing is taken as an image's. Without stages, target is -1.
 */
export function resolveStages(containerfile: Containerfile, options: ResolveOptions): StageGraph {
  const { stages } = containerfile;
  const diagnostics: PlacedDiagnostic[] = [];
  const names = createNames(stages, options.buildContexts);
  const last = stages.length - 1;
  const target = options.target === undefined ? last : findTarget(options.target, names);
  if (target === undefined) diagnostics.push(describeTarget(containerfile.file, names, options));
  const targetName = options.target ?? stages.at(-1)?.name ?? "default";
  const context: StageContext = {
    containerfile,
    options,
    names,
    globals: createGlobalScope(containerfile, options, targetName),
    locator: createLocator(containerfile.source),
    diagnostics,
    finalScopes: [],
  };
  const resolved = stages.map((stage) => resolveStage(context, stage));
  for (const index of findCircles(resolved)) reportCircle(context, index);
  return {
    stages: resolved,
    target: target ?? last,
    needed: last === -1 ? [] : findNeeded(resolved, target ?? last),
    options,
    diagnostics: sortDiagnostics(diagnostics),
  };
}

function findTarget(target: string, names: Names): number | undefined {
  return (findStage(target, names) ?? findNumbered(target, names))?.index;
}

/** What to say of a target that is not there. */
function describeTarget(
  file: string,
  names: Names,
  { target = "" }: ResolveOptions,
): PlacedDiagnostic {
  const known = [...names.stagesByName.keys()];
  const suggestion = suggestName(target, known);
  return {
    code: "target-not-found",
    severity: "error",
    message: `there is no stage ${target}`,
    hint: suggestion === undefined ? listStages(known) : `did you mean ${suggestion}?`,
    file,
  };
}

function listStages(names: readonly string[]): string {
  if (names.length === 0) return "give --target the number of a stage, from 0";
  return `use one of ${names.join(", ")}`;
}

function resolveStage(context: StageContext, stage: Stage): ResolvedStage {
  const base = resolveStageBase(context, stage);
  const uses: Use[] = [];
  const reads: ContextRead[] = [];
  const argumentUses: ArgumentUse[] = [];
  const scope = startScope(context, base);
  let output: ResolvedStage["output"];
  let argumentsAtOutput: ResolvedStage["argumentsAtOutput"] = [];
  for (const instruction of stage.instructions) {
    const place = { stage, instruction, scope };
    const used = findUses(context, place);
    uses.push(...used);
    const findReference: FindReference = (flag) => used.find((use) => use.flag === flag)?.reference;
    reads.push(...listReads(context, place, findReference));
    argumentUses.push(...findArgumentUse(place, context.options.buildArgs));
    if (instruction === stage.output) {
      output = readOutput(context, place);
      argumentsAtOutput = [...scope.arguments.values()];
    }
    advanceScope(scope, instruction, context);
  }
  context.finalScopes.push(
    output === undefined ? scope : leaveOutput(context, { stage, scope }, output),
  );
  return {
    stage,
    base,
    platform: resolvePlatform(context, stage),
    uses,
    reads,
    argumentUses,
    output,
    argumentsAtOutput,
  };
}

/** A stage begins with the variables of the stage that it is built on; ARGs are inherited, too. */
function startScope(context: StageContext, base: Reference): Scope {
  if (base.kind === "stage") return createScope(context.finalScopes[base.index]);
  return createScope({ hasUnknownBase: base.kind !== "scratch" });
}

/** The image of a stage with OUTPUT has the variables of its configuration alone. */
function leaveOutput(
  context: StageContext,
  { stage, scope }: Omit<ScopedInstruction, "instruction">,
  output: NonNullable<ResolvedStage["output"]>,
): Scope {
  if (output.inheritConfig) return createScope({ ...scope, arguments: new Map() });
  const [base] = output.from;
  const start = base === undefined ? createScope() : startScope(context, base);
  const at = stage.instructions.indexOf(output.instruction);
  const environment = new Map(start.environment);
  const own = createScope();
  for (const instruction of stage.instructions.slice(at + 1)) {
    if (instruction.keyword !== "ENV") continue;
    advanceScope(own, instruction, context);
  }
  for (const name of own.environment.keys()) environment.set(name, scope.environment.get(name));
  // `output/config.json` may set any variable.
  return { arguments: new Map(), environment, hasUnknownBase: true };
}

function reportCircle(context: StageContext, index: number): void {
  const stage = context.containerfile.stages[index];
  if (stage === undefined) return;
  report(context, stage.from, {
    code: "stage-circle",
    message: `the stage ${stage.name ?? index} depends on itself through the stages that it uses`,
    hint: "move what both need into a stage of its own",
  });
}
