import { describe, expect, test } from "vitest";
import { type Files, listHidden, makeBases, makeKnown } from "../../test/support/base-images.ts";
import { arrangeKnown } from "./arrange-bases.ts";

describe("what one image hides of another", () => {
  const cases: Readonly<
    Record<string, readonly [bases: string, Readonly<Record<string, Files>>, readonly string[]]>
  > = {
    "another file": ["x, y", { x: { a: "1" }, y: { a: "2" } }, ["a 0 1"]],
    "not the same file": ["x, y", { x: { a: "1" }, y: { a: "1" } }, []],
    "not a file beside it": ["x, y", { x: { a: "1" }, y: { b: "1" } }, []],
    "another mode of a directory": ["x, y", { x: { "d/": "755" }, y: { "d/": "700" } }, ["d 0 1"]],
    "not a directory that is only lain in": [
      "x, y, z",
      { x: { "d/a": "1" }, y: { "d/": "700" }, z: { "d/b": "1" } },
      [],
    ],
    "what it removes": ["x, y", { x: { a: "1" }, y: { ".wh.a": "" } }, ["a 0 1"]],
    "a directory that it removes, alone": [
      "x, y",
      { x: { "d/": "755", "d/a": "1" }, y: { ".wh.d": "" } },
      ["d 0 1"],
    ],
    "what was in an opaque directory": [
      "x, y",
      { x: { "d/": "755", "d/a": "1" }, y: { "d/": "755", "d/.wh..wh..opq": "" } },
      ["d/a 0 1"],
    ],
    "a directory that became a file": ["x, y", { x: { "d/a": "1" }, y: { d: "1" } }, ["d 0 1"]],
    "a file that became a directory": ["x, y", { x: { d: "1" }, y: { "d/a": "1" } }, ["d 0 1"]],
    "not what it removed that another one has": ["x, y", { x: { ".wh.a": "" }, y: { a: "1" } }, []],
    "of each image": [
      "x, y, z",
      { x: { a: "1" }, y: { a: "2" }, z: { a: "3" } },
      ["a 0 2", "a 1 2"],
    ],
    "not what an image changes of its own base": ["b, b y", { b: { a: "1" }, y: { a: "2" } }, []],
    "nor of a base that another one begins with": [
      "b x, b y",
      { b: { a: "1" }, x: { b: "1" }, y: { a: "2" } },
      [],
    ],
    "a base's file that one below changes": [
      "b x, b y",
      { b: { a: "1" }, x: { a: "2" }, y: { b: "1" } },
      ["a 1 0"],
    ],
    "a base's file that both change": [
      "b x, b y",
      { b: { a: "1" }, x: { a: "2" }, y: { a: "3" } },
      ["a 0 1"],
    ],
    "what a base removes that one below has again": [
      "b w x, b w y",
      { b: { a: "1" }, w: { ".wh.a": "" }, x: { a: "2" }, y: { b: "1" } },
      ["a 1 0"],
    ],
    "as far as layers are known": ["x ?, y", { x: { a: "1" }, y: { a: "2" } }, ["a 0 1"]],
  };
  test.each(Object.entries(cases))("%s", (_, [bases, layers, expected]) => {
    const found = listHidden(makeBases(bases), makeKnown(layers));
    expect(found.map(({ path, of, by }) => `${path} ${of} ${by}`)).toEqual(expected);
  });

  test("is a warning that names them, the first ones", () => {
    const known = makeKnown({ x: makeFiles("1"), y: makeFiles("2") });
    const { warnings } = arrangeKnown(makeBases("x, y"), ["one", "two\u001b[2J"], known);
    expect(warnings.map(({ code }) => code)).toEqual(["from-hides"]);
    const lines = warnings[0]?.message.split("\n") ?? [];
    expect(lines[0]).toBe("images of --from hide 12 paths of one another:");
    expect(lines[1]).toBe(String.raw`f10 of one (hidden by two\x1b[2J)`);
    expect(lines.length).toBe(12);
    expect(lines.at(-1)).toBe("and 2 more");
  });
});

function makeFiles(content: string): Files {
  return Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`f${index + 10}`, content]));
}
