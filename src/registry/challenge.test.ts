import { expect, it } from "vitest";
import { parseChallenges } from "./challenge.ts";

it.each([
  ["", []],
  ["Basic", [["basic", {}]]],
  ['Basic realm="a, b"', [["basic", { realm: "a, b" }]]],
  [
    'Bearer realm="https://a.example/token",service="a.example",scope="repository:x:pull,push"',
    [
      [
        "bearer",
        { realm: "https://a.example/token", service: "a.example", scope: "repository:x:pull,push" },
      ],
    ],
  ],
  [
    'Negotiate, Bearer Realm = plain , error="a \\"quoted\\" word", BASIC realm=""',
    [
      ["negotiate", {}],
      ["bearer", { realm: "plain", error: 'a "quoted" word' }],
      ["basic", { realm: "" }],
    ],
  ],
])("%j", (header, expected) => {
  const found = parseChallenges(header).map(({ scheme, parameters }) => [
    scheme,
    Object.fromEntries(parameters),
  ]);
  expect(found).toEqual(expected);
});
