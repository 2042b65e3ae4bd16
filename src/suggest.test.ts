import { expect, test } from "vitest";

import { suggestName } from "./suggest.ts";

test.each<[string, string[], string | undefined]>([
  ["biuld", ["build", "test"], "build"],
  ["BUILD", ["build"], "build"],
  ["inherit-confg", ["from", "inherit-config", "input"], "inherit-config"],
  ["form", ["from", "input"], "from"],
  ["x", ["from"], undefined],
  ["xyz", ["abc"], undefined],
  ["tset", ["rest", "test"], "test"],
  ["build", [], undefined],
  ["", ["a"], "a"],
  ["nothing-like-it", ["from", "input"], undefined],
])("%s among %j suggests %s", (name, candidates, expected) => {
  expect(suggestName(name, candidates)).toBe(expected);
});
