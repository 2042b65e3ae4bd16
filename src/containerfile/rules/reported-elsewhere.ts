import type { RuleCode } from "../../codes.ts";
import type { Rule } from "./model.ts";

/** What the parser refuses: BuildKit's parser errors, and its one warning. */
export const parserRules: readonly Rule[] = [
  rule("directive-duplicate", "A parser directive is given twice"),
  rule("directive-escape-invalid", "The escape directive names a character that cannot escape"),
  rule("heredoc-unterminated", "A heredoc is not closed"),
  rule("line-too-long", "A line is longer than 65,535 bytes"),
  rule("no-instructions", "The file has no instructions"),
  rule("json-not-strings", "A JSON argument contains something other than strings"),
  rule("key-value-missing", "ENV or LABEL has a name and no value"),
  rule("key-value-no-equals", "ENV or LABEL mixes name=value with something else"),
  rule("continuation-blank-line", "There is a blank line inside a continued instruction"),
];

/** What is found out while names, variables and the options of OUTPUT are resolved. */
export const graphRules: readonly Rule[] = [
  rule("target-not-found", "The target stage does not exist"),
  rule("base-blank", "FROM has no base image"),
  rule("from-blank", "--from has no value"),
  rule("stage-forward-reference", "A stage uses itself or a later one"),
  rule("stage-circle", "Stages depend on each other in a circle"),
  rule("from-unknown-variable", "A stage's name depends on a variable of the base image"),
  rule("output-flag-unknown", "OUTPUT has a flag that does not exist"),
  rule("output-flag-duplicate", "A flag of OUTPUT is given twice"),
  rule("output-flag-value", "A flag of OUTPUT has an invalid value"),
  rule("output-path-missing", "OUTPUT has no path"),
  rule("output-path-count", "OUTPUT has more than one path"),
];

function rule(code: RuleCode, summary: string): Rule {
  return { code, summary };
}
