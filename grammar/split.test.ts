import * as fc from "fast-check";
import { expect, test } from "vitest";

import { readContainerfile } from "./containerfile.ts";
import { splitInstructions } from "./split.ts";

test("finds what the parser finds, whatever the text", () => {
  const parts = fc.constantFrom(
    "FROM a",
    "RUN x",
    "OUTPUT /l",
    "RUN <<EOF",
    "EOF",
    "# escape=`",
    "# note",
    "\\",
    "`",
    " ",
    "\t",
    "\r",
    "\n",
    "\n",
    "\n",
  );
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 20 }), (list) => {
      const source = list.join("");
      const { escape, instructions } = readContainerfile(source);
      const texts = instructions.map(({ text }) => text);
      expect(splitInstructions(source)).toEqual({ escape, texts });
    }),
    { numRuns: 2000 },
  );
});

test.each([
  { source: "", texts: [] },
  { source: "FROM a\n", texts: ["FROM a"] },
  { source: "FROM \\\n# note\n  a\nRUN <<E\nOUTPUT /l\nE\n", texts: ["FROM   a", "RUN <<E"] },
  { source: "FROM a \\", texts: ["FROM a "] },
])("$source", ({ source, texts }) => {
  expect(splitInstructions(source).texts).toEqual(texts);
});
