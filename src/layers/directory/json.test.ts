import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { XbuildError } from "../../errors.ts";
import { createSource, locateJson } from "../../oci/json-places.ts";
import { parseJson } from "./json.ts";

function refusal(text: string): string {
  try {
    parseJson(createSource(Buffer.from(text, "latin1"), "output/history.json"));
  } catch (error) {
    return error instanceof XbuildError ? error.message : String(error);
  }
  return "taken";
}

function parse(text: string): unknown {
  return parseJson(createSource(Buffer.from(text), "a"));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe("parseJson", () => {
  it("reads what JSON.parse reads", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), fc.constantFrom(undefined, 1, "\t"), (text, space) => {
        fc.pre(!text.includes("__proto__"));
        const value: unknown = JSON.parse(text);
        const spaced = JSON.stringify(value, undefined, space) + "\r\n ";
        expect(parse(spaced)).toEqual(value);
      }),
    );
  });

  it("takes nothing that JSON.parse refuses, and never throws anything but a refusal", () => {
    const texts = fc.string({
      unit: fc.constantFrom(...Array.from('[]{}",:0123e+-.tfn \\u\u0001\u00e9')),
    });
    expect(
      fc.check(
        fc.property(texts, (text) => {
          const outcome = refusal(text);
          const isRefused = /^output\/history\.json:\d+:\d+: /.test(outcome);
          return isRefused || (outcome === "taken" && isJson(text));
        }),
        { numRuns: 1000 },
      ).failed,
    ).toBe(false);
  });

  it.each([
    ["a key twice", '{"a":1,\n  "b":2, "a":3}', '2:10: the key "a" appears twice'],
    ["a key twice, escaped", String.raw`{"a":1,"\u0061":3}`, '1:8: the key "a" appears twice'],
    ["text behind it", "[]\nx", "2:1: something follows the end of the document"],
    ["a comma in the end", "[1,]", "1:4: a value is expected here"],
    ["a key without quotes", "{a:1}", "1:2: a key in quotes is expected here"],
    ["no colon", '{"a" 1}', "1:6: a colon is expected here"],
    ["no end", '{"a":[1', "1:8: a comma or a closing bracket is expected here"],
    [
      "an open string",
      '["a',
      "1:2: a string is not closed, or has a character that needs an escape",
    ],
    [
      "a new line in a string",
      '["a\nb"]',
      "1:2: a string is not closed, or has a character that needs an escape",
    ],
    [
      "half of a surrogate pair",
      String.raw`["\ud800"]`,
      "1:2: a string has half of a surrogate pair",
    ],
    ["a number that is too large", "[1e999]", "1:2: a number is out of range"],
    ["NaN", "[NaN]", "1:2: a value is expected here"],
    ["a number with a zero first", "[01]", "1:2: a value is expected here"],
    ["nothing", "", "1:1: a value is expected here"],
    ["bytes that are no UTF-8", '"\u00ff"', "1:1: it is not UTF-8"],
    ["columns count bytes", '["\u00c3\u00a9", x]', "1:8: a value is expected here"],
    ["depth", "[".repeat(100) + "]".repeat(100), "1:66: it is nested more than 64 deep"],
    ["a NUL in a text", String.raw`["a","b\u0000c"]`, "1:6: a string has a NUL character"],
    ["a NUL in a key", String.raw`{"a\u0000":1}`, "1:2: a string has a NUL character"],
    ["a raw NUL", '["\0"]', "1:2: a string is not closed, or has a character that needs an escape"],
    [
      "a key that is the prototype",
      '[{"__proto__":{"x":1}}]',
      '1:3: the key "__proto__" cannot be used',
    ],
    [
      "a number of four million digits and a letter",
      `[${"1".repeat(4_000_000)}x`,
      "1:2: a value is expected here",
    ],
    [
      "two byte order marks",
      "\u00ef\u00bb\u00bf\u00ef\u00bb\u00bf[]",
      "1:4: a value is expected here",
    ],
    ["a comment", "[1, // one\n2]", "1:5: a value is expected here"],
    ["a comma in an object's end", '{"a":1,}', "1:8: a key in quotes is expected here"],
    ["very many values", `[${"0,".repeat(300_000)}0]`, "1:400000: it has more than 200000 values"],
    ["a huge depth", "[".repeat(4_000_000), "1:66: it is nested more than 64 deep"],
  ])("refuses %s", (_what, text, message) => {
    expect(refusal(text)).toBe(`output/history.json:${message}`);
  });

  it("takes a byte order mark, keys that objects have, and long strings", () => {
    expect(parse("\u{feff}[1]")).toEqual([1]);
    expect(parse('{"constructor":2,"toString":3}')).toEqual({ constructor: 2, toString: 3 });
    const long = "a".repeat(4_000_000);
    expect(parse(JSON.stringify([long]))).toEqual([long]);
    expect(parse(`${" ".repeat(4_000_000)}0`)).toBe(0);
    const escapes = '\\"'.repeat(2_000_000);
    expect(parse(`["${escapes}"]`)).toEqual(['"'.repeat(2_000_000)]);
  });
});

describe("locateJson", () => {
  it("finds the innermost part that is there", () => {
    const bytes = Buffer.from('{"history": [\n  {"a": 1},\n  {"a": 2, "b": 3}]}');
    const paths = [["history", 1, "b"], ["history", 1, "c"], []];
    expect(locateJson(createSource(bytes, "a"), paths).map(({ start }) => start)).toEqual([
      { line: 3, column: 17, offset: 42 },
      { line: 3, column: 3, offset: 28 },
      { line: 1, column: 1, offset: 0 },
    ]);
  });

  it("counts lines from the start of the file", () => {
    const bytes = Buffer.from('{}\n{}\n{"a":1}');
    const [span] = locateJson({ bytes, file: "a", start: 6, end: bytes.length }, [["a"]]);
    expect(span?.start).toEqual({ line: 3, column: 6, offset: 11 });
  });
});
