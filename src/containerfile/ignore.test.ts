import { describe, expect, test } from "vitest";

import { createIgnoreMatcher, hasExceptions, parseIgnoreFile } from "./ignore.ts";

test("an ignore file's patterns, in order", () => {
  const text = "# remark\n\n/a/\r\nb \n  # no remark\n!/c\n//d//\n/\n \n*.o";
  expect(parseIgnoreFile(text)).toEqual(["a/\r", "b ", "  # no remark", "!/c", "d", "*.o"]);
});

test.each<[string[], boolean]>([
  [["a"], false],
  [["a", " !b"], true],
  [["\\!b"], false],
])("%j has exceptions: %s", (patterns, expected) => {
  expect(hasExceptions(patterns)).toBe(expected);
});

test.each<[string[], string[], string[]]>([
  [["a"], ["a", "a/b", "a/b/c"], ["ab", "b/a", "b"]],
  [["a/"], ["a", "a/b"], ["b"]],
  [["./a//b/."], ["a/b", "a/b/c"], ["a"]],
  [["a/../b"], ["b"], ["a"]],
  [["*"], ["a", "a/b", ".git"], []],
  [["*.o"], ["x.o", ".o", "x.o/y"], ["a/x.o", "x.oo", "xo"]],
  [["*/b"], ["a/b", "a/b/c"], ["b", "a/a/b"]],
  [["**/b"], ["b", "a/b", "a/a/b", "a/b/c"], ["ab", "a/bc"]],
  [["a/**"], ["a/b", "a/b/c"], ["ab", "b"]],
  [["a/**/b"], ["a/b", "a/x/b", "a/x/y/b"], ["ab", "x/a/b"]],
  [["**"], ["a", "a/b"], []],
  [["a?c"], ["abc", "aüc", "a😀c"], ["ac", "a/c", "abbc"]],
  [["[ab]c"], ["ac", "bc"], ["cc", "abc"]],
  [["[a-c]x"], ["bx"], ["dx", "-x"]],
  [["[^a-c]x"], ["dx"], ["bx", "x"]],
  [["[\\]\\-]"], ["]", "-"], ["\\", "a"]],
  [["\\*"], ["*"], ["a"]],
  [["a.b"], ["a.b"], ["axb"]],
  [["a$"], ["a$"], ["a"]],
  [
    ["a", "!a/b"],
    ["a", "a/c", "a/bc"],
    ["a/b", "a/b/c"],
  ],
  [["*", "!*.md", "README.md"], ["x", "README.md"], ["x.md"]],
  [["!a", "a"], ["a"], []],
  [["a", "!/a/b"], ["a/c"], ["a/b"]],
  [[" a "], ["a"], ["b"]],
  [["", "  ", "a"], ["a"], ["b"]],
  [["/a"], [], ["a"]],
  // An exception that does not begin with the directory's path is not looked for in it.
  [["a", "!**/keep"], ["a/keep"], ["keep", "b/keep"]],
  [
    ["a/b", "!a/b/c/d"],
    ["a/b", "a/b/x"],
    ["a/b/c/d", "a/b/c/d/e"],
  ],
])("%j leaves out %j and not %j", (patterns, ignored, kept) => {
  const matches = createIgnoreMatcher(patterns);
  expect(ignored.filter((path) => !matches(path))).toEqual([]);
  expect(kept.filter((path) => matches(path))).toEqual([]);
});

describe("characters that older engines take for a regular expression's", () => {
  test.each<[string, string[]]>([
    ["a+b", ["a+b", "aab"]],
    ["(a)", ["a", "(a)"]],
    ["a|b", ["a", "b"]],
    ["a{2}", ["aa", "a{2}"]],
  ])("%s leaves out nothing of %j", (pattern, paths) => {
    const matches = createIgnoreMatcher([pattern]);
    expect(paths.filter((path) => matches(path))).toEqual([]);
  });

  test("do not matter in patterns beside them", () => {
    const matches = createIgnoreMatcher(["a+b", "c"]);
    expect(matches("c")).toBe(true);
  });
});

test.each([["!"], ["[a"], ["a\\"], ["[]a]"], ["[a-]"], ["x", "[-a]"]])(
  "%j is refused",
  (...patterns) => {
    expect(() => createIgnoreMatcher(patterns)).toThrow(/ignore pattern/);
  },
);
