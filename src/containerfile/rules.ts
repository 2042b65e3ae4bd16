import { codes } from "../codes.ts";
import type { Span } from "../diagnostics.ts";
import { createLocator, findArguments, type Locator } from "./locate.ts";
import type { Containerfile, StageGraph } from "./model.ts";
import { sortDiagnostics } from "./parse.ts";
import type { PlacedDiagnostic } from "./place.ts";
import { createNames } from "./references.ts";
import { adviceRules } from "./rules/advice.ts";
import { engineRules } from "./rules/engines.ts";
import { flagRules } from "./rules/flags.ts";
import { graphRules, parserRules } from "./rules/reported-elsewhere.ts";
import { imageNameRules } from "./rules/image-names.ts";
import { instructionRules } from "./rules/instructions.ts";
import type { CheckOptions, Finding, Rule, RuleContext } from "./rules/model.ts";
import { outputStepRules } from "./rules/output-steps.ts";
import { outputRules } from "./rules/output.ts";
import { stageRules } from "./rules/stages.ts";
import { unusedOutputRules } from "./rules/unused-outputs.ts";

/** Everything that a Containerfile can be found fault with: one of each `RuleCode`. */
export const rules: readonly Rule[] = [
  ...parserRules,
  ...graphRules,
  ...outputRules,
  ...outputStepRules,
  ...unusedOutputRules,
  ...instructionRules,
  ...flagRules,
  ...stageRules,
  ...imageNameRules,
  ...adviceRules,
  ...engineRules,
];

/**
 * All findings about a file in its order: the parser's, the stage graph's and those of the rules.
 * Each carries the line that it is about, so that it can be shown without the file.
 */
export function checkContainerfile(
  containerfile: Containerfile,
  graph: StageGraph,
  options: CheckOptions = {},
): readonly PlacedDiagnostic[] {
  const locator = createLocator(containerfile.source);
  const names = createNames(containerfile.stages, new Set());
  const context: RuleContext = { containerfile, graph, options, locator, names };
  const findings = rules.flatMap((rule) =>
    (rule.check?.(context) ?? []).map((finding) => toDiagnostic(rule, finding, context)),
  );
  const all = [...containerfile.diagnostics, ...graph.diagnostics, ...findings];
  return sortDiagnostics(all).map((one) => addExcerpt(one, containerfile.source));
}

function toDiagnostic(
  { code }: Rule,
  { at, message, hint }: Finding,
  { containerfile, locator }: RuleContext,
): PlacedDiagnostic {
  const { severity } = codes[code];
  const span = toSpan(at, locator);
  const finding = { code, severity, message, hint, file: containerfile.file, span };
  return "part" in at ? { ...finding, place: at } : finding;
}

function toSpan(at: Finding["at"], locator: Locator): Span {
  if ("startOffset" in at) return locator.span(at);
  if ("part" in at) return locator.span(findArguments(at.instruction));
  return "keyword" in at ? locator.span(findArguments(at)) : at;
}

function addExcerpt(diagnostic: PlacedDiagnostic, source: string): PlacedDiagnostic {
  if (diagnostic.span === undefined) return diagnostic;
  const { offset, column } = diagnostic.span.start;
  const start = offset - column + 1;
  const end = source.indexOf("\n", start);
  return { ...diagnostic, excerpt: source.slice(start, end === -1 ? undefined : end) };
}
