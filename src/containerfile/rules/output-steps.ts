import { splitWords } from "../../../grammar/grammar.ts";
import { expandWord } from "../expand.ts";
import type { Instruction, ResolvedStage } from "../model.ts";
import { decodeText } from "../text.ts";
import { cleanPath } from "../paths.ts";
import type { Finding, Rule, RuleContext } from "./model.ts";

/** What the instructions behind OUTPUT must keep to. */
export const outputStepRules: readonly Rule[] = [
  {
    code: "output-copy-into-path",
    summary: "COPY or ADD after OUTPUT writes into its path",
    check: (context) => context.graph.stages.flatMap((stage) => checkCopies(context, stage)),
  },
  {
    code: "output-no-layers",
    summary: "Nothing in the stage can make a layer",
    check: ({ graph }) => graph.stages.flatMap(checkSteps),
  },
];

function checkCopies({ containerfile }: RuleContext, stage: ResolvedStage): Finding[] {
  const { output } = stage;
  if (output === undefined) return [];
  const path = cleanPath(output.path);
  const findings: Finding[] = [];
  let workdir = "/";
  for (const instruction of stage.stage.instructions) {
    if (instruction.keyword === "WORKDIR") {
      workdir = resolvePath(workdir, readLastWord(instruction, containerfile.escape));
    }
    const isCopy = instruction.keyword === "COPY" || instruction.keyword === "ADD";
    if (!isCopy || instruction.span.start.offset < output.instruction.span.start.offset) continue;
    const target = resolvePath(workdir, readLastWord(instruction, containerfile.escape));
    if (target !== path && !target.startsWith(`${path}/`)) continue;
    findings.push({
      at: { instruction, part: { kind: "destination" } },
      message: `${instruction.keyword} writes into ${output.path}, where the mount hides it`,
      hint: `copy to another directory, and move it to ${output.path}/output in a RUN`,
    });
  }
  return findings;
}

function resolvePath(workdir: string, path: string): string {
  return cleanPath(path.startsWith("/") ? path : `${workdir}/${path}`);
}

function readLastWord(instruction: Instruction, escape: "\\" | "`"): string {
  const words = instruction.json ?? splitWords(decodeText(instruction.args), escape);
  const expansion = expandWord(words.at(-1) ?? "", () => undefined, escape);
  return expansion.ok ? expansion.value : "";
}

function checkSteps({ output, stage }: ResolvedStage): Finding[] {
  if (output === undefined || output.from.length > 0) return [];
  if (output.instruction.flags.some(({ name }) => name === "from")) return [];
  const after = stage.instructions.slice(stage.instructions.indexOf(output.instruction) + 1);
  if (after.some(({ keyword }) => keyword === "RUN")) return [];
  return [
    {
      at: output.instruction,
      message: "no RUN follows this OUTPUT, so its image has no layer",
      hint: `write layers in a RUN after it, such as RUN ${output.path}/bin/layer split auto /`,
    },
  ];
}
