import { outputFlags } from "../../grammar/grammar.ts";
import { suggestName } from "../suggest.ts";
import { narrowSpan, type SourceRange } from "./locate.ts";
import type { Flag, OutputOptions } from "./model.ts";
import {
  expandOutput,
  locateOutputPath,
  type OutputContext,
  readOutputPath,
} from "./output-path.ts";
import { resolveFrom } from "./references.ts";
import {
  describeForward,
  report,
  type ScopedInstruction,
  type StageContext,
} from "./stage-context.ts";

type FlagName = keyof typeof outputFlags;

/**
 * Reads an OUTPUT with what is in scope at its line. What is wrong with it is reported, and the option
 * then has its default value.
 */
export function readOutput(stages: StageContext, place: ScopedInstruction): OutputOptions {
  const { stage, instruction } = place;
  const context: OutputContext = { ...stages, ...place, unknown: new Set() };
  const values = readFlags(context);
  const path = readOutputPath(context);
  const from = values.get("from") ?? [];
  return {
    instruction,
    path,
    pathSpan: locateOutputPath(context),
    from: from.map(({ value }) => resolveFrom(value, stage, stages.names)),
    fromSpans: from.map(({ flag }) => narrowSpan(instruction, toRange(flag), stages.locator)),
    inheritConfig: values.get("inherit-config")?.[0]?.value === "true",
    isInputGiven: values.has("input"),
    input: pick(values, "input", "local"),
    reuse: pick(values, "reuse", undefined),
    compression: pick(values, "compression", "gzip"),
    unknownVariables: [...context.unknown],
  };
}

/** A flag, and its value expanded. */
interface FlagValue {
  readonly flag: Flag;
  readonly value: string;
}

type Values = ReadonlyMap<string, readonly FlagValue[]>;

/** Values were checked against the table when they were read. */
function pick<Name extends "input" | "reuse" | "compression", Default>(
  values: Values,
  name: Name,
  fallback: Default,
): (typeof outputFlags)[Name][number] | Default {
  const allowed: readonly (typeof outputFlags)[Name][number][] = outputFlags[name];
  return allowed.find((value) => value === values.get(name)?.[0]?.value) ?? fallback;
}

function readFlags(context: OutputContext): Values {
  const values = new Map<string, FlagValue[]>();
  for (const flag of context.instruction.flags) {
    const isRepeated = values.has(flag.name) && flag.name !== "from";
    const value = isRepeated ? reportRepeated(context, flag) : readFlag(context, flag);
    if (value === undefined) continue;
    const others = values.get(flag.name);
    if (others === undefined) values.set(flag.name, [{ flag, value }]);
    else others.push({ flag, value });
  }
  return values;
}

function reportRepeated(context: OutputContext, flag: Flag): undefined {
  return report(context, flag, {
    code: "output-flag-duplicate",
    message: `--${flag.name} is given twice`,
    hint: "keep one of them",
  });
}

function readFlag(context: OutputContext, flag: Flag): string | undefined {
  if (!isFlagName(flag.name)) return reportUnknownFlag(context, flag);
  const isBare = flag.value === undefined && flag.name === "inherit-config";
  const value = isBare ? "true" : expandFlag(context, flag);
  if (value === undefined) return undefined;
  const allowed: readonly string[] | undefined = outputFlags[flag.name];
  if (allowed === undefined && value !== "") return checkFrom(context, flag, value);
  if (allowed?.includes(value) === true) return value;
  const others =
    allowed === undefined ? "name a stage or an image" : `use one of ${allowed.join(", ")}`;
  return report(context, flag, {
    code: "output-flag-value",
    message: value === "" ? `--${flag.name} has no value` : `--${flag.name} cannot be ${value}`,
    hint: `${others}${suggestValue(value, allowed)}`,
  });
}

function toRange({ span }: Flag): SourceRange {
  return { startOffset: span.start.offset, endOffset: span.end.offset };
}

/** An image of a stage that is not made yet cannot be built upon. */
function checkFrom(context: OutputContext, flag: Flag, name: string): string {
  const reference = resolveFrom(name, context.stage, context.names);
  const forward =
    reference.kind === "stage"
      ? describeForward(name, reference.index, context.stage.index)
      : undefined;
  if (forward !== undefined) report(context, flag, forward);
  return name;
}

function isFlagName(name: string): name is FlagName {
  return Object.hasOwn(outputFlags, name);
}

function suggestValue(value: string, allowed: readonly string[] | undefined): string {
  const suggestion = suggestName(value, allowed ?? []);
  return suggestion === undefined ? "" : `; did you mean ${suggestion}?`;
}

function reportUnknownFlag(context: OutputContext, flag: Flag): undefined {
  const names = Object.keys(outputFlags);
  const suggestion = suggestName(flag.name, names);
  return report(context, flag, {
    code: "output-flag-unknown",
    message: `OUTPUT has no flag --${flag.name}`,
    hint:
      suggestion === undefined
        ? `use one of ${names.map((name) => `--${name}`).join(", ")}`
        : `did you mean --${suggestion}?`,
  });
}

function expandFlag(context: OutputContext, flag: Flag): string | undefined {
  if (flag.value === undefined) return "";
  return expandOutput(context, flag.value, flag);
}
