import { describe, expect, test } from "vitest";
import { XbuildError } from "../../errors.ts";
import { readBuildLine } from "../line/build-line.ts";
import { omitFlag, renderLine, splitTargets } from "./targets.ts";

function split(text: string): readonly (readonly [string | undefined, string])[] {
  const { line, error } = readBuildLine(text.split(" "));
  if (line === undefined) throw error;
  return splitTargets(line).map((one) => [one.target, renderLine(one.line).join(" ")]);
}

function judge(text: string): string {
  try {
    split(text);
  } catch (error) {
    if (error instanceof XbuildError && error.exitStatus === 125) return error.message;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("one target, or none, is the line as it stands", () => {
  test.each([
    ["-t x .", undefined],
    ["-t x --target a .", "a"],
    ["--target a -t x -t y . -- --cap-add all", "a"],
    ["-t x --target a --target a .", "a"],
    ["-t x --target a --target A .", "a"],
    ["--iidfile f --target a -o out .", "a"],
  ])("%s", (text, target) => {
    expect(split(text)).toEqual([[target, text]]);
  });
});

test.each<[string, readonly (readonly [string, string])[]]>([
  [
    "--target a -t x --target b -t y .",
    [
      ["a", "--target a -t x ."],
      ["b", "--target b -t y ."],
    ],
  ],
  [
    "--no-cache --target a -t x --build-arg A=1 --target=b -ty -o out -q --push ctx -- --cap-add all",
    [
      ["a", "--no-cache --target a -t x --build-arg A=1 -q --push ctx -- --cap-add all"],
      ["b", "--no-cache --build-arg A=1 --target=b -ty -o out -q --push ctx -- --cap-add all"],
    ],
  ],
  [
    "--target a --target b --no-cache .",
    [
      ["a", "--target a --no-cache ."],
      ["b", "--target b --no-cache ."],
    ],
  ],
  [
    "--target a -t x --target b .",
    [
      ["a", "--target a -t x ."],
      ["b", "--target b ."],
    ],
  ],
  [
    "--target a --target b -t y --target c .",
    [
      ["a", "--target a ."],
      ["b", "--target b -t y ."],
      ["c", "--target c ."],
    ],
  ],
  [
    "--target a -t x --target b -t y --target A -t z .",
    [
      ["a", "--target a -t x -t z ."],
      ["b", "--target b -t y ."],
    ],
  ],
  [
    "--target a --target b -t x --target b -t y --target a .",
    [
      ["a", "--target a ."],
      ["b", "--target b -t x -t y ."],
    ],
  ],
  [
    "--target a -t x --target b -o oci:y .",
    [
      ["a", "--target a -t x ."],
      ["b", "--target b -o oci:y ."],
    ],
  ],
  [
    "--target a --iidfile i -t x --target b --iidfile j --metadata-file m .",
    [
      ["a", "--target a --iidfile i -t x --metadata-file m ."],
      ["b", "--target b --iidfile j --metadata-file m ."],
    ],
  ],
])("%s", (text, expected) => {
  expect(split(text)).toEqual(expected);
});

test.each([
  ["-t x --target a --target b .", "-t x stands before all --target flags"],
  ["-t x --target a -t y --target b -t z .", "-t x stands before all --target flags"],
  ["--target a --target b -t x -t y .", "-t x, -t y stand behind all --target flags"],
  ["--target a --target b -o out .", "-o out stands behind all --target flags"],
  ["--target a -t x --target b -t y --iidfile f .", "--iidfile f stands behind all --target flags"],
  ["--iidfile f --target a -t x --target b -t y .", "--iidfile f stands before all --target flags"],
])("it must be clear what is meant: %s", (text, expected) => {
  expect(judge(text)).toBe(`${expected}, so it is not clear which target is meant`);
});

test("a flag can be left out", () => {
  const { line } = readBuildLine(["--metadata-file", "m", "-q", "."]);
  expect(line && renderLine(omitFlag(line, "metadata-file"))).toEqual(["-q", "."]);
});
