import { ContainerfileParser } from "../containerfile.ts";
import { createOutputTokens } from "../output-tokens.ts";
import { OutputParser } from "../output.ts";
import { renderOutputEbnf } from "./ebnf.ts";
import { renderRailroad } from "./railroad.ts";
import { createTextMateGrammar } from "./textmate.ts";

/** The files that are made of the grammar, by their names in `grammar/`. `npm run generate` writes them. */
export function createGrammarFiles(): Readonly<Record<string, string>> {
  const file = new ContainerfileParser({ skipValidations: false }).getSerializedGastProductions();
  const output = new OutputParser(createOutputTokens("\\"), {
    skipValidations: false,
  }).getSerializedGastProductions();
  return {
    "output.ebnf": renderOutputEbnf(),
    "railroad-containerfile.svg": renderRailroad(file, "The lines of a Containerfile"),
    "railroad-output.svg": renderRailroad(output.toReversed(), "The OUTPUT instruction"),
    "editor/containerfile.tmLanguage.json": `${JSON.stringify(createTextMateGrammar(), undefined, 2)}\n`,
  };
}
