import { describe, expect, test } from "vitest";
import { judgeTexts, resolveTexts } from "../support/bake.ts";

// A bake file of a project that somebody else wrote: reading it ends, and soon, whatever stands in it.

function chain(count: number, one: (index: number) => unknown): Record<string, unknown> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, one(index)]));
}

/** Each text or list twice in the next one: 2 to the power of 60 in the end. */
const doubled = (value: (name: string) => unknown) => ({
  ...chain(60, (index) => ({ default: index === 0 ? value("x") : value(`\${n${index - 1}}`) })),
});

describe("documents that no project has", () => {
  test.each<[string, string | Buffer, RegExp]>([
    ["no JSON", "{", /^docker-bake\.json:1:2: a key in quotes is expected here$/],
    ["no object", "[]", /^docker-bake\.json:1:1: an object is expected here$/],
    ["not UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), /it is not UTF-8/],
    ["nested without end", "[".repeat(100_000), /nested more than 64 deep/],
    ["nested in a target", `{"target":{"a":{"args":${"[".repeat(500)}`, /nested more than 64 deep/],
    ["too large", " ".repeat(4 * 1024 * 1024 + 1), /it is larger than 4194304 bytes/],
    ["too many values", `{"x":[${"0,".repeat(200_001)}0]}`, /more than 200000 values/],
    ["a key twice", '{"target":{"a":{},"a":{}}}', /1:19: the key "a" appears twice/],
    ["a block twice", '{"target":{},"target":{}}', /1:14: the key "target" appears twice/],
    ["__proto__ as a target", '{"target":{"__proto__":{}}}', /the key "__proto__" cannot be used/],
    ["__proto__ as an argument", '{"target":{"a":{"args":{"__proto__":"x"}}}}', /cannot be used/],
    [
      "__proto__ by a variable",
      '{"p":"__proto__","target":{"a":{"args":{"${p}":"x"}}}}',
      /the key "__proto__" cannot be used, or appears twice/,
    ],
    [
      "a key twice by a variable",
      '{"p":"q","target":{"a":{"args":{"q":"1","${p}":"2"}}}}',
      /appears twice/,
    ],
  ])("%s", (_, text, message) => {
    expect(judgeTexts([text], { names: ["a"] })).toMatch(message);
  });

  test.each<[string, object, string]>([
    [
      "a chain of variables",
      { variable: chain(5000, (index) => ({ default: `\${n${index + 1}}` })), target: { a: {} } },
      "more than 100 variables refer to each other in a chain",
    ],
    [
      "a chain of inherits",
      {
        target: {
          a: { inherits: ["n0"] },
          ...chain(5000, (index) => ({ inherits: [`n${index + 1}`] })),
        },
      },
      "targets that inherit form a chain of more than 100",
    ],
    [
      "a chain of groups",
      {
        group: {
          a: { targets: ["n0"] },
          ...chain(5000, (index) => ({ targets: [`n${index + 1}`] })),
        },
      },
      "groups form a chain of more than 100",
    ],
    [
      "a chain of contexts",
      {
        target: {
          a: { contexts: { x: "target:n0" } },
          ...chain(5000, (index) => ({ contexts: { x: `target:n${index + 1}` } })),
        },
      },
      "contexts of targets form a chain of more than 100",
    ],
    [
      "a text that doubles",
      { variable: doubled((name) => `${name}${name}`), target: { a: {} } },
      "the text has more than 1048576 characters",
    ],
    [
      "a matrix of many dimensions",
      { target: { a: { matrix: chain(30, () => ["1", "2", "3"]), name: "x" } } },
      "there are more than 10000 variants",
    ],
    [
      "lists of lists in an attribute",
      {
        variable: { l: { default: Array.from({ length: 1000 }, () => 0) } },
        target: { a: { tags: Array.from({ length: 1000 }, () => "${l}") } },
      },
      "the block has more than 200000 values",
    ],
  ])("%s", (_, document, message) => {
    const said = judgeTexts([JSON.stringify(document)], { names: ["a"] });
    expect(said.replace(/^docker-bake\.json:1:\d+: /, "")).toBe(message);
  });

  test("lists that double are no text", () => {
    const variable = doubled((name) => [name, name]);
    const document = { variable, target: { a: { tags: "${n59}" } } };
    expect(judgeTexts([JSON.stringify(document)], { names: ["a"] })).toContain("is expected here");
  });

  test("groups and inherits that double are each worked out once", () => {
    const group = chain(60, (index) => ({
      targets: index === 0 ? ["a", "a"] : [`n${index - 1}`, `n${index - 1}`],
    }));
    const target = {
      a: { inherits: ["t59", "t59"] },
      ...Object.fromEntries(
        Array.from({ length: 60 }, (_, index) => [
          `t${index}`,
          index === 0 ? { annotations: ["k=v"] } : { inherits: [`t${index - 1}`, `t${index - 1}`] },
        ]),
      ),
    };
    const { targets } = resolveTexts([JSON.stringify({ group, target })], { names: ["n59"] });
    expect(targets.map((one) => one.target)).toEqual([{ context: ".", annotations: ["k=v"] }]);
  });
});

test.each(["constructor", "toString", "hasOwnProperty", "valueOf"])(
  "%s is a name like another",
  (name) => {
    const text = `{"target":{"${name}":{"args":{"${name}":"x"},"labels":{"${name}":null}}},"group":{"g":{"targets":["${name}"]}}}`;
    const { targets } = resolveTexts([text], { names: ["g"] });
    expect(targets.map((one) => [one.name, one.target.args])).toEqual([[name, { [name]: "x" }]]);
    expect(judgeTexts(["{}"], { names: [name] })).toBe(
      `there is no target or group ${name} in the bake file`,
    );
  },
);
