// Writes docs/schemas from the schemas that xbuild itself checks with:
//   node_modules/.bin/esbuild scripts/schemas.ts --bundle --platform=node --format=esm | node --input-type=module -
//   node_modules/.bin/oxfmt docs/schemas
// A test fails where the two differ.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderSchemas } from "../src/layers/directory/json-schemas.ts";

for (const [name, text] of renderSchemas()) {
  writeFileSync(join("docs/schemas", name), text);
  console.log(`docs/schemas/${name}`);
}
