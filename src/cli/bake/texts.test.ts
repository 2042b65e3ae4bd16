import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { joinPairs, splitFields } from "./csv.ts";
import { isPattern, matchesPattern } from "./glob.ts";

describe("CSV", () => {
  test.each<[string, readonly string[] | undefined]>([
    ["", [""]],
    ["a", ["a"]],
    ["a,,b", ["a", "", "b"]],
    ["a,", ["a", ""]],
    ['"a,b",c', ["a,b", "c"]],
    ['"a ""b"""', ['a "b"']],
    ['""', [""]],
    ['"a', undefined],
    ['a"b', undefined],
    ['"a"b', undefined],
  ])("%j", (text, expected) => {
    expect(splitFields(text)).toEqual(expected);
  });

  test("what is joined comes apart again", () => {
    const pair = fc.tuple(fc.string(), fc.string());
    fc.assert(
      fc.property(fc.array(pair, { minLength: 1 }), (pairs) => {
        expect(splitFields(joinPairs(pairs))).toEqual(pairs.map((one) => one.join("=")));
      }),
    );
  });
});

describe("patterns", () => {
  test.each([
    ["*", "app", true],
    ["app", "app", true],
    ["app", "apps", false],
    ["a*p", "app", true],
    ["a*p*", "app-1", true],
    ["?pp", "app", true],
    ["?", "", false],
    ["**", "", true],
    ["[a-c]x", "bx", true],
    ["[^a-c]x", "bx", false],
    ["[^a-c]x", "dx", true],
    [String.raw`\*`, "*", true],
    [String.raw`\*`, "a", false],
    ["[a", "a", false],
    ["a*b*c", "aXbXbXc", true],
    ["a*b*c", "aXbXbX", false],
  ])("%s and %s: %s", (pattern, name, expected) => {
    expect(matchesPattern(pattern, name)).toBe(expected);
  });

  test("stars and marks match as in a regular expression", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "-"), maxLength: 12 });
    const pattern = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (pattern, name) => {
        const source = pattern.replaceAll("*", ".*").replaceAll("?", ".");
        expect(matchesPattern(pattern, name)).toBe(new RegExp(`^${source}$`).test(name));
      }),
      { numRuns: 1000 },
    );
  });

  test("a name is none", () => {
    expect([isPattern("app-1_x"), isPattern("a*"), isPattern("[a]")]).toEqual([false, true, true]);
  });
});
