import {
  encodeText,
  type ScopedArgument,
  type SourceText,
} from "../../containerfile/containerfile.ts";
import type { LayeredStage } from "../../plan/plan.ts";
import type { LayeringImages } from "./lower.ts";

/** https://reproducible-builds.org/specs/source-date-epoch/ */
export const epochVariable = "SOURCE_DATE_EPOCH";

/**
 * ARG lines that bring the arguments of the environment's stage into a new stage: a FROM ends
 * their scope, and the split at OUTPUT must not show. An argument whose name the environment has
 * as a variable is left out: there the variable counts, always (Dockerfile reference, ARG).
 */
export function renderArguments(stage: LayeredStage, images: LayeringImages): SourceText {
  const { escape } = stage;
  const lines = stage.layering.argumentsAtOutput
    .filter((one) => !images.variables.has(one.name))
    .map((one) => renderArgument(one, escape));
  const epoch = declaresEpoch(stage, images) ? [`ARG ${epochVariable}`] : [];
  return [...lines, ...epoch].map((line) => `${line}\n`).join("");
}

function renderArgument(argument: ScopedArgument, escape: string): SourceText {
  if (argument.origin !== "default") return `ARG ${argument.name}`;
  if (argument.value !== undefined) {
    return `ARG ${argument.name}=${quoteWord(encodeText(argument.value), escape)}`;
  }
  return `ARG ${argument.name}${argument.word === undefined ? "" : `=${argument.word}`}`;
}

/** RUN finds SOURCE_DATE_EPOCH where one is set; its value comes as a build argument. */
function declaresEpoch(stage: LayeredStage, images: LayeringImages): boolean {
  if (images.epoch === undefined || images.variables.has(epochVariable)) return false;
  return !stage.layering.argumentsAtOutput.some((one) => one.name === epochVariable);
}

function quoteWord(value: SourceText, escape: string): SourceText {
  const special = escape === "`" ? /[`"$]/g : /[\\"$]/g;
  return `"${value.replace(special, (char) => escape + char)}"`;
}
