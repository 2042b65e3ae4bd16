// Writes what is made of the grammar: railroad diagrams and the file for editors.
//   node_modules/.bin/esbuild scripts/railroad.ts --bundle --platform=node --format=esm --packages=external \
//     --outfile=node_modules/.cache/railroad.mjs && node node_modules/.cache/railroad.mjs
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createGrammarFiles } from "../grammar/editor/files.ts";

for (const [name, content] of Object.entries(createGrammarFiles())) {
  writeFileSync(join("grammar", name), content);
  console.log(`grammar/${name}`);
}
