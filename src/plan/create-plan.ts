import {
  decodeText,
  type Containerfile,
  type Instruction,
  type OutputOptions,
  type Reference,
  type ResolvedStage,
  type StageGraph,
} from "../containerfile/containerfile.ts";
import { XbuildError } from "../errors.ts";
import { listDeclaredBefore, listDependencies } from "./dependencies.ts";
import type { BuildPlan, LayeredStage, LayeringSteps, PlainStage } from "./model.ts";
import { applyTriggers } from "./triggers.ts";

/** Instructions that change an image's config and nothing in its file system (Dockerfile reference). */
const metadataKeywords: ReadonlySet<string> = new Set([
  "CMD",
  "ENTRYPOINT",
  "ENV",
  "EXPOSE",
  "HEALTHCHECK",
  "LABEL",
  "MAINTAINER",
  "ONBUILD",
  "SHELL",
  "STOPSIGNAL",
  "USER",
  "VOLUME",
  "WORKDIR",
]);

function isMetadata(instruction: Instruction): boolean {
  return metadataKeywords.has(instruction.keyword);
}

/**
 * The plan for the graph's target, or undefined where neither it nor a stage that it uses has an
 * OUTPUT: such a file is the engine's alone.
 * @throws XbuildError `output-unsupported` for several OUTPUT stages and for `--from` of a named context.
 */
export function createPlan(containerfile: Containerfile, graph: StageGraph): BuildPlan | undefined {
  const needed = graph.needed.map((index) => stageAt(graph, index));
  const outputs = needed.filter((stage) => stage.output !== undefined);
  if (outputs.length === 0) return undefined;
  const resolved = stageAt(graph, graph.target);
  const output = assertSupported(containerfile, resolved, outputs);
  const target = planLayered(containerfile, graph, { resolved, output, needed });
  const plan = {
    containerfile,
    stages: [...usedStages(graph, target, needed).map(planPlain), target],
    target,
    needed,
    dependencies: listDependencies(containerfile, needed),
    graph,
  };
  return applyTriggers(plan, () => []);
}

interface OutputStage {
  readonly resolved: ResolvedStage;
  readonly output: OutputOptions;
  /** It and all stages that it uses. */
  readonly needed: readonly ResolvedStage[];
}

function planLayered(
  containerfile: Containerfile,
  graph: StageGraph,
  { resolved, output, needed }: OutputStage,
): LayeredStage {
  const { start } = output.instruction.span;
  const after = resolved.stage.instructions.filter((one) => one.span.start.offset > start.offset);
  const before = resolved.stage.instructions.filter((one) => one.span.start.offset < start.offset);
  return {
    kind: "layered",
    index: resolved.stage.index,
    name: nameStage(resolved),
    resolved,
    output,
    bases: output.from.filter((one) => one.kind !== "scratch"),
    layering: planLayering(resolved, after),
    escape: containerfile.escape,
    declaredBeforeOutput: listDeclaredBefore(containerfile, needed, output.instruction),
    inheritedTriggers: before
      .filter((one) => one.keyword === "ONBUILD")
      .map((one) => decodeText(one.args)),
    commandBeforeOutput: before.some((one) => one.keyword === "CMD"),
    hasEnginePath:
      baseReference(graph, resolved).kind === "scratch" && !setsPath(containerfile, start.offset),
  };
}

function setsPath({ instructions }: Containerfile, before: number): boolean {
  return instructions.some(
    (one) => one.keyword === "ENV" && one.span.start.offset < before && /\bPATH\b/.test(one.args),
  );
}

function stageAt(graph: StageGraph, index: number): ResolvedStage {
  const stage = graph.stages[index];
  if (stage === undefined) throw new RangeError(`no stage ${index}`);
  return stage;
}

function assertSupported(
  containerfile: Containerfile,
  target: ResolvedStage,
  outputs: readonly ResolvedStage[],
): OutputOptions {
  const output = target.output;
  const other = outputs.find((stage) => stage !== target);
  const { file } = containerfile;
  const refuse = (message: string, instruction: Instruction, hint: string): XbuildError =>
    new XbuildError("output-unsupported", message, {
      diagnostics: [
        {
          code: "output-unsupported",
          severity: "error",
          message,
          hint,
          file,
          span: instruction.span,
        },
      ],
    });
  if (other?.output !== undefined) {
    throw refuse(
      `stage "${nameStage(other)}", which "${nameStage(target)}" uses, has an OUTPUT of its own`,
      other.output.instruction,
      `build that stage as an image of its own (--target ${nameStage(other)} -t NAME) and name that image here`,
    );
  }
  if (output === undefined) throw new RangeError("a plan needs an OUTPUT");
  if (output.from.some((one) => one.kind === "context")) {
    throw refuse(
      "OUTPUT --from cannot take its layers from a named context",
      output.instruction,
      "name the image itself, or a stage: FROM <context> AS <stage>",
    );
  }
  return output;
}

/** What a person calls the stage: its name, else its number. */
function nameStage(stage: ResolvedStage): string {
  return stage.stage.name ?? String(stage.stage.index);
}

/**
 * The stages that the layering steps or `--from` read, and those that any RUN mounts, in the file's order: each is built
 * on its own. buildah 1.28 mounts a stage of the same call that came from its cache as the stage's base.
 */
function usedStages(
  graph: StageGraph,
  { resolved, layering, output }: LayeredStage,
  needed: readonly ResolvedStage[],
): readonly ResolvedStage[] {
  const uses = resolved.uses.filter((use) => layering.instructions.includes(use.instruction));
  const mounts = needed.flatMap((stage) =>
    stage.uses.filter(({ instruction }) => instruction.keyword === "RUN"),
  );
  const references = [...[...uses, ...mounts].map((use) => use.reference), ...output.from];
  const indexes = references.flatMap((one) => (one.kind === "stage" ? [one.index] : []));
  return [...new Set(indexes)].sort((a, b) => a - b).map((index) => stageAt(graph, index));
}

function planPlain(stage: ResolvedStage): PlainStage {
  return { kind: "plain", index: stage.stage.index, name: nameStage(stage) };
}

function baseReference(graph: StageGraph, stage: ResolvedStage): Reference {
  let { base } = stage;
  while (base.kind === "stage") ({ base } = stageAt(graph, base.index));
  return base;
}

function planLayering(target: ResolvedStage, after: readonly Instruction[]): LayeringSteps {
  return {
    instructions: after,
    metadata: after.filter((one) => isMetadata(one) || one.keyword === "ARG"),
    argumentsAtOutput: target.argumentsAtOutput,
  };
}
