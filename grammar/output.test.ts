import * as fc from "fast-check";
import { expect, test } from "vitest";

import { splitCommand } from "./command.ts";
import { readOutputSyntax } from "./output.ts";

test.each<[string, string[], string[]]>([
  ["OUTPUT /layers", [], ["/layers"]],
  ["output\t/layers", [], ["/layers"]],
  ["OUTPUT --from=a --inherit-config /x", ["--from=a", "--inherit-config"], ["/x"]],
  ['OUTPUT --from="a b" --nope "/x y"', ["--from=a b", "--nope"], ['"/x y"']],
  ["OUTPUT -- --from=a", [], ["--from=a"]],
  ["OUTPUT /x --from=a", [], ["/x", "--from=a"]],
  ["OUTPUT ${A:-b c}/d e", [], ["${A:-b c}/d", "e"]],
  ["OUTPUT a\\ b", [], ["a\\ b"]],
  ["OUTPUT", [], []],
  ["OUTPUT --", [], []],
  ["OUTPUT --=x", ["--=x"], []],
  ["OUTPUT ['/x']", [], ["['/x']"]],
  ['OUTPUT "a', [], ['"a']],
])("%s", (text, flags, words) => {
  const syntax = readOutputSyntax(text, "\\");
  expect(syntax.flags.map((flag) => flag.text)).toEqual(flags);
  expect(syntax.path.words.map((word) => word.text)).toEqual(words);
  expect(syntax.path.json).toBeUndefined();
});

test("the JSON form is one part, whatever stands in it", () => {
  for (const json of ['["/x"]', '[ "/x y", "z" ]', "[1]", "[]"]) {
    expect(readOutputSyntax(`OUTPUT --from=a ${json}`, "\\")).toMatchObject({
      flags: [{ text: "--from=a", start: 7, end: 15 }],
      args: json,
      path: { words: [], json: { text: json, start: 16, end: 16 + json.length } },
    });
  }
});

test("the escape character is the file's", () => {
  expect(readOutputSyntax("OUTPUT a` b\\ c", "`").path.words.map(({ text }) => text)).toEqual([
    "a` b\\",
    "c",
  ]);
});

test("any text is read, its flags as any instruction's, and its parts stand where they say", () => {
  const parts = fc.constantFrom(
    "--",
    "--from",
    "=",
    "a",
    " ",
    '"',
    "'",
    "\\",
    "[",
    "]",
    "${",
    "}",
    "`",
    "\u00a0",
    "\u0085",
  );
  fc.assert(
    fc.property(fc.array(parts), fc.constantFrom("\\", "`"), (list, escape) => {
      const text = `OUTPUT ${list.join("")}`;
      const { path, ...command } = readOutputSyntax(text, escape);
      expect(command).toEqual(splitCommand(text, escape));
      for (const part of [...path.words, ...(path.json ? [path.json] : [])]) {
        expect(text.slice(part.start, part.end)).toBe(part.text);
      }
    }),
    { numRuns: 1000 },
  );
});
