import type { Rule } from "./model.ts";

/** What the parser refuses: BuildKit's parser errors, and its one warning. */
export const parserRules: readonly Rule[] = [
  error("directive-duplicate", "A parser directive is given twice"),
  error("directive-escape-invalid", "The escape directive names a character that cannot escape"),
  error("heredoc-unterminated", "A heredoc is not closed"),
  error("line-too-long", "A line is longer than 65,535 bytes"),
  error("no-instructions", "The file holds no instruction"),
  error("json-not-strings", "A JSON argument holds something other than strings"),
  error("key-value-missing", "ENV or LABEL has a name and no value"),
  error("key-value-no-equals", "ENV or LABEL mixes name=value with something else"),
  {
    code: "continuation-blank-line",
    severity: "warning",
    summary: "A blank line stands within a continued instruction",
  },
];

/** What is found out while names, variables and the options of OUTPUT are resolved. */
export const graphRules: readonly Rule[] = [
  error("target-not-found", "The target stage does not exist"),
  error("base-blank", "FROM has no base image"),
  error("from-blank", "--from names nothing"),
  error("stage-forward-reference", "A stage uses itself or one further down"),
  error("stage-circle", "Stages need each other in a circle"),
  error("from-unknown-variable", "A stage's name hangs on a variable of the base image"),
  error("output-flag-unknown", "OUTPUT has a flag that does not exist"),
  error("output-flag-duplicate", "A flag of OUTPUT is given twice"),
  error("output-flag-value", "A flag of OUTPUT has a value that it does not take"),
  error("output-path-missing", "OUTPUT has no path"),
  error("output-path-count", "OUTPUT has more than one path"),
];

function error(code: string, summary: string): Rule {
  return { code, severity: "error", summary };
}
