import { WordError } from "../../grammar/grammar.ts";
import {
  advanceScope,
  bodyHint,
  createGlobalScope,
  createScope,
  describeBodyFault,
  type HeredocStep,
  type Instruction,
  isHeredocStep,
  lookupIn,
  readHeredocStep,
  type Reference,
  type Scope,
  type ScopeContext,
  type Stage,
} from "../containerfile/containerfile.ts";
import { XbuildError } from "../errors.ts";
import type { BuildPlan } from "./model.ts";

/** What an image says of the steps that run on it. */
export interface StageStart {
  readonly environment: ReadonlyMap<string, string>;
  /** Undefined for `/bin/sh -c`. */
  readonly shell: readonly string[] | undefined;
}

/** A heredoc's instruction, with the shell that runs it. */
export interface ShellStep {
  readonly step: HeredocStep;
  readonly shell: readonly string[];
}

const defaultShell = ["/bin/sh", "-c"];
/** BuildKit and buildah set it where an image has none. */
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Whether a file has a heredoc that can be said without. */
export function hasHeredocs({ containerfile }: BuildPlan): boolean {
  return containerfile.instructions.some(isHeredocStep);
}

/**
 * What the heredocs of all stages of the file come to: an engine reads those that it does not build, too.
 * @param findStart what an image from outside says, or one that another plan makes; undefined where that is not known
 * @throws XbuildError `containerfile-invalid`
 */
export function readHeredocs(
  plan: BuildPlan,
  findStart: (base: Reference) => StageStart | undefined,
): ReadonlyMap<Instruction, ShellStep> {
  const { containerfile, graph } = plan;
  const targetName = graph.options.target ?? containerfile.stages.at(-1)?.name ?? "default";
  const globals = createGlobalScope(containerfile, graph.options, targetName);
  const context = { globals, options: graph.options, containerfile };
  const walk: Walk = {
    file: containerfile.file,
    context,
    findStart,
    fired: new Map(plan.dependencies.stages.map(({ stage }) => [stage.index, stage])),
    bases: new Map(plan.needed.map(({ stage, base }) => [stage.index, base])),
    ends: new Map(),
    steps: new Map(),
  };
  for (const stage of containerfile.stages) walkStage(stage, walk);
  return walk.steps;
}

interface Walk {
  readonly file: string;
  readonly context: ScopeContext;
  readonly findStart: (base: Reference) => StageStart | undefined;
  /** The stages that are built, with what triggers of their bases say, and what they stand on; by their indexes. */
  readonly fired: ReadonlyMap<number, Stage>;
  readonly bases: ReadonlyMap<number, Reference>;
  /** How stages end, by their indexes. */
  readonly ends: Map<number, Place>;
  readonly steps: Map<Instruction, ShellStep>;
}

interface Place {
  readonly scope: Scope;
  readonly shell: readonly string[];
}

function walkStage({ index, instructions }: Stage, walk: Walk): void {
  const { file, context, fired, bases, ends, steps } = walk;
  // What triggers say comes first; the rest are the file's own, read once more.
  const all = fired.get(index)?.instructions ?? instructions;
  const start = startStage(bases.get(index) ?? { kind: "scratch" }, walk);
  const { scope } = start;
  let { shell } = start;
  for (const [at, instruction] of all.entries()) {
    const own = instructions[at - (all.length - instructions.length)];
    const step = own && readStep(own, scope, file);
    if (own !== undefined && step !== undefined) steps.set(own, { step, shell });
    if (instruction.keyword === "SHELL") shell = instruction.json ?? shell;
    advanceScope(scope, instruction, context);
  }
  ends.set(index, { scope, shell });
}

function readStep(own: Instruction, scope: Scope, file: string): HeredocStep | undefined {
  try {
    return readHeredocStep(own, lookupIn(scope));
  } catch (error) {
    if (!(error instanceof WordError)) throw error;
    const finding = { code: "expansion-invalid", severity: "error", hint: bodyHint } as const;
    const message = describeBodyFault(error.message);
    throw new XbuildError("containerfile-invalid", `${file} cannot be built`, {
      diagnostics: [{ ...finding, message, file, span: own.span }],
    });
  }
}

function startStage(base: Reference, { ends, findStart }: Walk): Place {
  const below = base.kind === "stage" ? ends.get(base.index) : undefined;
  if (below !== undefined) return { scope: createScope(below.scope), shell: below.shell };
  const start = findStart(base);
  const environment = new Map(start?.environment);
  if (!environment.has("PATH")) environment.set("PATH", defaultPath);
  return { scope: createScope({ environment }), shell: start?.shell ?? defaultShell };
}
