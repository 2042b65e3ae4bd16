import type { BuildPlan } from "../../plan/plan.ts";
import type { Instruction } from "../../containerfile/containerfile.ts";
import { decodeText } from "../../containerfile/containerfile.ts";
import type { SolveCall } from "./solve-call.ts";

type Arguments = Pick<SolveCall, "buildArgs" | "hiddenArgs">;

/** A text of a builder without the values that must not be seen. One or two letters hide nothing, and stand in every text. */
export function hideValues(text: string, call: Arguments): string {
  return listValues(call)
    .filter((value) => value.length > 2)
    .reduce((shown, value) => shown.replaceAll(value, "***"), text);
}

function listValues({ buildArgs, hiddenArgs }: Arguments): readonly string[] {
  return [...hiddenArgs].flatMap((name) => buildArgs.get(name) ?? []);
}

/**
 * A step as a builder names it, `[stage 2/3] RUN ...`. Where values must not be seen it is said as the file has it, for
 * BuildKit has variables expanded, also to parts of them; what cannot be found there is its keyword alone.
 */
export function hideStep(name: string, plan: BuildPlan, call: Arguments): string {
  if (listValues(call).length === 0) return name;
  const found = /^(?<head>\[(?:(?<stage>.*) )?(?<number>\d+)\/\d+\] )(?<keyword>[A-Z]+)\b/.exec(
    name,
  );
  const { head = "", stage = "", number = "", keyword = "" } = found?.groups ?? {};
  if (found === null) return hideValues(name, call);
  const instruction = findStep(plan, stage, Number(number));
  const text = instruction?.keyword === keyword ? decodeText(instruction.text) : `${keyword} ...`;
  return `${head}${text}`;
}

/** BuildKit counts what needs files from 1. A stage without a name is called by its number. */
function findStep(
  { containerfile, target }: BuildPlan,
  name: string,
  number: number,
): Instruction | undefined {
  const byNumber = Number(/^stage-(\d+)$/.exec(name)?.[1] ?? target.index);
  const stage =
    containerfile.stages.findLast((one) => one.name !== undefined && one.name === name) ??
    containerfile.stages[byNumber];
  const counted = stage?.instructions.filter(({ keyword }) =>
    ["RUN", "COPY", "ADD", "WORKDIR", "OUTPUT"].includes(keyword),
  );
  return counted?.[number - 1];
}
