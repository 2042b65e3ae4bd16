import { readJsonForm, type PathPart } from "../../grammar/grammar.ts";
import type { Span } from "../diagnostics.ts";
import { expandWord } from "./expand.ts";
import { narrowSpan, toSourceRange } from "./locate.ts";
import type { Flag } from "./model.ts";
import { cleanPath } from "./paths.ts";
import { isUnknown, lookupIn } from "./scope.ts";
import {
  describeExpansion,
  report,
  type ScopedInstruction,
  type StageContext,
} from "./stage-context.ts";
import { decodeText } from "./text.ts";

/** An OUTPUT that is being read. */
export interface OutputContext extends StageContext, ScopedInstruction {
  /** Variables that only the base image could set. */
  readonly unknown: Set<string>;
}

/** The path, cleaned where it is absolute; empty where there is none. */
export function readOutputPath(context: OutputContext): string {
  const { json, words = [] } = context.instruction.path ?? {};
  const form = json && readJsonForm(json.text);
  if (form?.kind === "not-strings") return reportNotStrings(context);
  const paths =
    form?.kind === "strings" ? form.strings : words.map((word) => decodeText(word.text));
  const [path, ...others] = paths;
  if (path === undefined) return reportMissing(context);
  const [, firstOther] = words;
  if (others.length > 0) reportExtra(context, paths.length, firstOther ?? json);
  const expanded = expandOutput(context, path, undefined) ?? "";
  return expanded.startsWith("/") ? cleanPath(expanded) : expanded;
}

/** Where the path stands; see `OutputOptions`. */
export function locateOutputPath({ instruction, locator }: OutputContext): Span {
  const part = instruction.path?.json ?? instruction.path?.words[0];
  const range = part && toSourceRange(instruction.pieces, part.start, part.end);
  return narrowSpan(instruction, range, locator);
}

function reportNotStrings(context: OutputContext): "" {
  report(context, context.instruction, {
    code: "json-not-strings",
    message: "a JSON array may contain only strings",
    hint: 'write OUTPUT ["/layers"]',
  });
  return "";
}

function reportMissing(context: OutputContext): "" {
  report(context, context.instruction, {
    code: "output-path-missing",
    message: "OUTPUT has no path",
    hint: "name the directory that the layering steps write to: OUTPUT /layers",
  });
  return "";
}

function reportExtra(context: OutputContext, count: number, part: PathPart | undefined): void {
  const at = part && toSourceRange(context.instruction.pieces, part.start, part.end);
  const place = at && { span: context.locator.span(at) };
  report(context, place ?? context.instruction, {
    code: "output-path-count",
    message: `OUTPUT takes one path, not ${count}`,
    hint: "put flags before the path, and a path with spaces in quotes",
  });
}

/** A word of OUTPUT with its variables; undefined, and reported, where it cannot be expanded. */
export function expandOutput(
  context: OutputContext,
  word: string,
  flag: Flag | undefined,
): string | undefined {
  const { scope } = context;
  const expansion = expandWord(word, lookupIn(scope), context.containerfile.escape);
  if (!expansion.ok) {
    const place = flag ?? { span: locateOutputPath(context) };
    report(context, place, describeExpansion(word, expansion.message));
    return undefined;
  }
  for (const name of expansion.unset) if (isUnknown(scope, name)) context.unknown.add(name);
  return expansion.value;
}
