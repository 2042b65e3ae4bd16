import { describe, expect, test } from "vitest";

import { readArguments, readKeyValues, splitWords } from "./arguments.ts";
import { splitCommand } from "./command.ts";

describe("an instruction's parts", () => {
  test.each<[string, string, string[], string]>([
    ["RUN a", "RUN", [], "a"],
    ["  RUN\t\v a b  ", "RUN", [], "a b"],
    ["RUN", "RUN", [], ""],
    ["", "", [], ""],
    ["RUN --a b --c", "RUN", ["--a"], "b --c"],
    ["RUN --a=1   --b  c", "RUN", ["--a=1", "--b"], "c"],
    ["RUN --a", "RUN", ["--a"], ""],
    ["RUN -- --a b", "RUN", [], "--a b"],
    ["RUN --", "RUN", [], ""],
    ["RUN - a", "RUN", [], "- a"],
    ["RUN -a", "RUN", [], "-a"],
    ['RUN --a="b c" d', "RUN", ["--a=b c"], "d"],
    ["RUN --a='b \"c' d", "RUN", ['--a=b "c'], "d"],
    ["RUN --a=b\\ c d", "RUN", ["--a=b c"], "d"],
    ["RUN --a='b\\'c' d", "RUN", ["--a=b'c"], "d"],
    ['RUN --a="b c', "RUN", ["--a=b c"], ""],
    ["RUN --a=b\\", "RUN", ["--a=b"], ""],
    ['RUN --"" --a', "RUN", [], "--a"],
    ['RUN "--a" b', "RUN", [], '"--a" b'],
    ["RUN --a=\u00c3\u00a0 b", "RUN", ["--a=\u00c3"], "b"],
    ["RUN \u00c2\u00a0a\u00e2\u0080\u0083", "RUN", [], "a"],
  ])("%j", (line, keyword, flags, args) => {
    const command = splitCommand(line, "\\");
    expect(command.keyword).toBe(keyword);
    expect(command.flags.map(({ text }) => text)).toEqual(flags);
    expect(command.args).toBe(args);
    expect(line.slice(command.argsStart, command.argsStart + args.length)).toBe(args);
  });

  test("flags stand where they stand, quotes included", () => {
    const line = 'COPY --a="b c"  --d e';
    const places = splitCommand(line, "\\").flags.map(({ start, end }) => line.slice(start, end));
    expect(places).toEqual(['--a="b c"', "--d"]);
  });

  test("the escape character is the file's", () => {
    const { flags } = splitCommand('RUN --a=`"b --c=\\ d', "`");
    expect(flags.map(({ text }) => text)).toEqual(['--a="b', "--c=\\"]);
  });
});

describe("words", () => {
  test.each<[string, string[]]>([
    ["", []],
    ["a b", ["a", "b"]],
    ['a="b c" d', ['a="b c"', "d"]],
    ["a='b\\' c", ["a='b\\'", "c"]],
    ["a\\ b c\\", ["a\\ b", "c"]],
    ['"a', ['"a']],
    ["a\u00a0b", ["a", "b"]],
    ['""', ['""']],
  ])("%j", (text, words) => {
    expect(splitWords(text, "\\")).toEqual(words);
  });
});

describe("names and values", () => {
  test.each<[string, [string, string][]]>([
    ["a b  c ", [["a", "b  c "]]],
    [
      "a=b c=d",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    [
      'a="b c" d=',
      [
        ["a", '"b c"'],
        ["d", ""],
      ],
    ],
    ["a=b=c", [["a", "b=c"]]],
    ["=x", [["", "x"]]],
    ["", []],
  ])("%j", (args, pairs) => {
    const read = readKeyValues("ENV", args, "\\");
    expect(read.problem).toBeUndefined();
    expect(read.pairs.map(({ key, value }) => [key, value])).toEqual(pairs);
  });
});

describe("the JSON form", () => {
  test.each<[string, string, readonly string[] | undefined]>([
    ["RUN", '["a"]', ["a"]],
    ["RUN", "[]", []],
    ["RUN", '[ "a" ,\t"b" ]', ["a", "b"]],
    ["RUN", '["a"] b', undefined],
    ["RUN", "['a']", undefined],
    ["RUN", '["a",]', undefined],
    ["RUN", '["\u0001"]', undefined],
    ["RUN", '["a", 1e400]', undefined],
    ["RUN", '["\\u00fc", "\u00c3\u00bc"]', ["ü", "ü"]],
    ["EXPOSE", '["80"]', undefined],
    ["HEALTHCHECK", 'CMD ["a"]', ["a"]],
    ["HEALTHCHECK", '["a"]', undefined],
    ["ONBUILD", 'RUN ["a"]', undefined],
    ["VOLUME", '["/a"]', ["/a"]],
  ])("%s %s", (keyword, args, json) => {
    expect(readArguments(keyword, args, "\\")).toEqual({ json, problem: undefined });
  });

  test.each<[string, string]>([
    ["RUN", "[1]"],
    ["RUN", '["a", null]'],
    ["CMD", '[["a"]]'],
    ["COPY", '["a", {}]'],
    ["HEALTHCHECK", "CMD [true]"],
    ["ONBUILD", "SHELL [1]"],
    ["ONBUILD", "ONBUILD SHELL [1]"],
  ])("%s %s is refused", (keyword, args) => {
    expect(readArguments(keyword, args, "\\").problem?.code).toBe("json-not-strings");
  });

  test("ten thousand brackets are no JSON, and no danger", () => {
    const args = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
    expect(readArguments("RUN", args, "\\")).toEqual({ json: undefined, problem: undefined });
  });
});
