import { expandWord } from "./expand.ts";
import type { Instruction, Reference, Stage, Use } from "./model.ts";
import type { Place } from "./place.ts";
import { findFromFlags, resolveBase, resolveFrom, type FromFlag } from "./references.ts";
import { isUnknown, lookupIn, type Scope } from "./scope.ts";
import {
  describeExpansion,
  describeForward,
  report,
  type ScopedInstruction,
  type StageContext,
} from "./stage-context.ts";
import { decodeText } from "./text.ts";

/** What FROM names. It sees the global ARGs alone. */
export function resolveStageBase(context: StageContext, stage: Stage): Reference {
  const word = decodeText(stage.from.args).split(/[\t\v\f\r ]+/)[0] ?? "";
  const place: Place = { instruction: stage.from, part: { kind: "image" } };
  const expanded = expandGlobal(context, place, word);
  const name = expanded ?? "";
  if (expanded === "") {
    report(context, place, {
      code: "base-blank",
      message: word === "" ? "FROM has no base image" : `the base image ${word} is an empty string`,
      hint: word === "" ? "name an image, an earlier stage or scratch" : "give its ARG a value",
    });
  }
  return resolveBase(name, stage, context.names);
}

/** `FROM --platform`, expanded. */
export function resolvePlatform(context: StageContext, { from }: Stage): string | undefined {
  const platform = from.flags.find(({ name }) => name === "platform")?.value;
  return platform === undefined ? undefined : expandGlobal(context, from, platform);
}

function expandGlobal(
  context: StageContext,
  at: Instruction | Place,
  word: string,
): string | undefined {
  const expansion = expandWord(word, context.globals.lookup, context.containerfile.escape);
  if (expansion.ok) return expansion.value;
  report(context, at, describeExpansion(word, expansion.message));
  return undefined;
}

/** The other stages and images that an instruction uses, with what is in scope at its line. */
export function findUses(
  context: StageContext,
  { stage, instruction, scope }: ScopedInstruction,
): Use[] {
  return findFromFlags(instruction).flatMap((from) => {
    const { flag } = from;
    const expanded = expandFrom(context, from, scope);
    if (expanded === undefined) return [];
    const reference = resolveFrom(expanded, stage, context.names);
    const forward =
      reference.kind === "stage"
        ? describeForward(expanded, reference.index, stage.index)
        : undefined;
    if (forward !== undefined) report(context, flag, forward);
    return [{ instruction, flag, reference }];
  });
}

function expandFrom(
  context: StageContext,
  { flag, name }: FromFlag,
  scope: Scope,
): string | undefined {
  const expansion = expandWord(name, lookupIn(scope), context.containerfile.escape);
  if (!expansion.ok) {
    report(context, flag, describeExpansion(name, expansion.message));
    return undefined;
  }
  const unknown = expansion.unset.find((variable) => isUnknown(scope, variable));
  if (unknown !== undefined) {
    report(context, flag, {
      code: "from-unknown-variable",
      message: `${name} depends on ${unknown}, which only the base image can set`,
      hint: `declare ARG ${unknown} with a default in this stage`,
    });
    return undefined;
  }
  if (expansion.value !== "") return expansion.value;
  report(context, flag, {
    code: "from-blank",
    message: name === "" ? "--from has no value" : `${name} is an empty string here`,
    hint: "name a stage, a named context or an image",
  });
  return undefined;
}
