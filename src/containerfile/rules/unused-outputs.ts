import { findDependencies } from "../graph.ts";
import type { Instruction, ResolvedStage, StageGraph } from "../model.ts";
import { findFromFlags, findNumbered, findStage, type Names } from "../references.ts";
import { decodeText } from "../text.ts";
import type { Finding, Rule, RuleContext } from "./model.ts";

/** What nobody who builds a target gets to see. */
export const unusedOutputRules: readonly Rule[] = [
  {
    code: "output-unused",
    summary: "The target does not use a stage with OUTPUT",
    check: ({ graph, names }) => checkUnused({ graph, names }),
  },
];

function checkUnused({ graph, names }: Pick<RuleContext, "graph" | "names">): Finding[] {
  if (graph.diagnostics.some(({ code }) => code === "target-not-found")) return [];
  const { otherTargets = [], buildContexts } = graph.options;
  const used = findUsed(graph, names);
  const who = otherTargets.length === 0 ? "the target does not use" : "no target uses";
  return graph.stages.flatMap(({ stage, output }) => {
    // A context of its name stands for it.
    const isReplaced = stage.name !== undefined && buildContexts.has(stage.name);
    if (output === undefined || used.has(stage.index) || isReplaced) return [];
    return [
      {
        at: output.instruction,
        message: `${who} the stage ${stage.name ?? stage.index}, so this OUTPUT makes no image`,
        hint: `build it with --target ${stage.name ?? stage.index}, or use it in a stage that is built`,
      },
    ];
  });
}

/** What any target of the call uses, and what they would with other values of their arguments. */
function findUsed(graph: StageGraph, names: Names): ReadonlySet<number> {
  const patterns = new Set<string>();
  const used = new Set<number>();
  const waiting = [graph.target, ...listOthers(graph, names)];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const stage = graph.stages[next];
    if (stage === undefined || used.has(next)) continue;
    used.add(next);
    waiting.push(...findDependencies(stage));
    for (const word of listFromWords(stage)) {
      if (!word.includes("$") || patterns.has(word)) continue;
      patterns.add(word);
      waiting.push(...listEligible(word, names));
    }
  }
  return used;
}

function listOthers({ stages, options }: StageGraph, names: Names): readonly number[] {
  return (options.otherTargets ?? []).flatMap((name) => {
    if (name === undefined) return [stages.length - 1];
    const stage = findStage(name, names) ?? findNumbered(name, names);
    return stage === undefined ? [] : [stage.index];
  });
}

/** What a stage names other stages or images by, as it is written. */
function listFromWords({ stage }: ResolvedStage): readonly string[] {
  const [image = ""] = decodeText(stage.from.args).split(/[\t\v\f\r ]+/);
  return [image, ...stage.instructions.flatMap(listFlagWords)];
}

function listFlagWords(instruction: Instruction): readonly string[] {
  if (instruction.keyword !== "OUTPUT") return findFromFlags(instruction).map(({ name }) => name);
  return instruction.flags.filter(({ name }) => name === "from").map(({ value }) => value ?? "");
}

/** The stages that a word with variables may mean: `node-${TARGETARCH}`. */
function listEligible(word: string, { stagesByName }: Names): readonly number[] {
  const { start, end } = readEnds(word);
  return [...stagesByName].flatMap(([name, stages]) =>
    name.length >= start.length + end.length && name.startsWith(start) && name.endsWith(end)
      ? stages.map(({ index }) => index)
      : [],
  );
}

/** What stands before the first variable and behind the last, as far as that is sure, in lower case. */
function readEnds(word: string): { readonly start: string; readonly end: string } {
  const start = word.slice(0, word.indexOf("$"));
  const end =
    word.endsWith("}") || !word.includes("}") ? "" : word.slice(word.lastIndexOf("}") + 1);
  return { start: start.toLowerCase(), end: end.includes("$") ? "" : end.toLowerCase() };
}
