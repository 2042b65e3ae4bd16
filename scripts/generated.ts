import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createGrammarFiles } from "../grammar/editor/files.ts";
import { reportSchema } from "../src/cli/report/report-schema.ts";
import { renderSchema, renderSchemas } from "../src/layers/directory/json-schemas.ts";
import { renderErrorIndex, renderRuleIndex } from "./code-index.ts";
import { replaceScale } from "./scale-page.ts";

/**
 * The files that are made of others: name in the directory, text. The lists of codes take their words from the pages
 * in the directory; of docs/scale.md a part is computed. `npm run generate` writes them.
 */
export function createGeneratedFiles(directory: string): ReadonlyMap<string, string> {
  const readPage = (name: string): string => readFileSync(join(directory, name), "utf8");
  return new Map([
    ...Array.from(renderSchemas(), ([name, text]) => [`docs/schemas/${name}`, text] as const),
    [
      "docs/schemas/report.schema.json",
      renderSchema("What --report json:FILE writes", reportSchema),
    ],
    ...Object.entries(createGrammarFiles()).map(
      ([name, text]) => [`grammar/${name}`, text] as const,
    ),
    ["docs/errors/README.md", renderErrorIndex(readPage)],
    ["docs/rules/README.md", renderRuleIndex(readPage)],
    ["docs/scale.md", replaceScale(readPage("docs/scale.md"), readPage("docs/scale.json"))],
  ]);
}
