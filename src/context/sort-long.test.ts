import * as fc from "fast-check";
import { expect, test } from "vitest";
import { sortLong } from "./sort-long.ts";

test("many texts come out as they would be sorted at once, lone surrogates included", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", ".", "\0", "\n", "é", "\uDCE9", "😀") });
  const many = fc.tuple(fc.array(text, { maxLength: 50 }), fc.integer({ min: 0, max: 60_000 }));
  fc.assert(
    fc.property(many, ([texts, count]) => {
      const all = [...texts, ...Array.from({ length: count }, (_, at) => `${(at * 7919) % count}`)];
      const joined = [...sortLong(all)].join("/");
      expect(joined === [...all].sort().join("/")).toBe(true);
    }),
    { numRuns: 20, seed: 1 },
  );
});
