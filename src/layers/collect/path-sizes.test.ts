import { expect, test } from "vitest";
import { createPathSizes, isRest } from "./path-sizes.ts";

test("files are added up by the first components of their paths, the largest first", () => {
  const { add, list } = createPathSizes();
  add({ path: "var/cache/apt", size: 0 });
  for (let index = 0; index < 100; index += 1) add({ path: `var/cache/apt/${index}`, size: 10 });
  add({ path: "root/big", size: 900 });
  add({ path: Buffer.from("\u00e9").toString("latin1"), size: 1 });
  expect(list()).toEqual([
    { path: "var/cache/apt", size: 1000 },
    { path: "root/big", size: 900 },
    { path: "\u00e9", size: 1 },
  ]);
});

test("of more places than are kept the bytes are told by the directory at the top", () => {
  const { add, list } = createPathSizes();
  for (let index = 0; index < 20_000; index += 1) add({ path: `a/${index}/x`, size: 1 });
  expect(list()[0]).toEqual({ path: "a", size: 15_000 });
  expect(list()).toHaveLength(5);
});

test.each([
  ["other", true],
  ["dpkg-database other", true],
  ["other#03fa91", true],
  ["another", false],
  ["others#03fa91", false],
])("%s", (name, expected) => {
  expect(isRest(name)).toBe(expected);
});
