import { describe, expect, test } from "vitest";
import { parseCommandLine } from "../line/arguments.ts";
import { buildFlags } from "../line/build-flags.ts";
import { isReportFlag, readReports, readShownLayers } from "./report-request.ts";

const parse = (...words: readonly string[]) => parseCommandLine(words, buildFlags);

describe("--layers", () => {
  test.each([
    [[], "changes"],
    [["--layers"], "changes"],
    [["--layers=false"], "changes"],
    [["--layers=all", "--layers", "--layers=0"], "all"],
    [["--layers=all", "--layers=none"], "none"],
  ])("%j lists %s", (words, shown) => {
    expect(readShownLayers(parse(...words))).toBe(shown);
  });

  test("takes no word behind it for its value, as the engines do not", () => {
    expect(parse("--layers", "all").operands).toEqual(["all"]);
  });

  test("is refused with another value", () => {
    expect(() => readShownLayers(parse("--layers=some"))).toThrow("--layers cannot be some");
  });

  test("is the engine's where it is true or false", () => {
    const { flags } = parse("--layers", "--layers=true", "--layers=all");
    expect(flags.map(isReportFlag)).toEqual([false, false, true]);
  });
});

describe("--report", () => {
  test.each([
    ["a.json", "json", "a.json"],
    ["dir.md/a.JSON", "json", "dir.md/a.JSON"],
    ["a.md", "markdown", "a.md"],
    ["notes.markdown", "markdown", "notes.markdown"],
    ["json:a.md", "json", "a.md"],
    ["markdown:/dev/fd/3", "markdown", "/dev/fd/3"],
    ["json:-", "json", "-"],
  ])("%s is %s into %s", (value, format, path) => {
    expect(readReports(parse(`--report=${value}`))).toMatchObject([{ format, path }]);
  });

  test("may be given several times", () => {
    expect(readReports(parse("--report=a.md", "--report", "json:-"))).toHaveLength(2);
    expect(readReports(parse())).toEqual([]);
  });

  test.each([[["report"]], [["-"]], [["json:"]], [["html:a"]], [["json:-", "markdown:-"]]])(
    "%j is refused",
    (values) => {
      const line = parse(...values.map((value) => `--report=${value}`));
      expect(() => readReports(line)).toThrow("--report");
    },
  );
});
