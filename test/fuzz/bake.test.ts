import { expect, test } from "vitest";
import { readBuildLine } from "../../src/cli/line/build-line.ts";
import { toBuildWords } from "../../src/cli/bake/build-words.ts";
import { resolveTexts } from "../support/bake.ts";
import { fuzz, fuzzTimeout, hold, judge, mutate, runs } from "./harness.ts";

const documents = [
  {
    variable: { T: { default: "t" }, L: { type: "list(string)", default: ["a", "b"] } },
    group: { default: { targets: ["app", "m"] } },
    target: {
      base: { args: { A: "${T}", B: null }, labels: { "${T}": "v" }, secret: ["id=s,src=f"] },
      app: {
        inherits: ["base"],
        contexts: { b: "target:base", d: "docker-image://x" },
        tags: "${L}",
        output: ["type=oci,dest=x", { type: "image", push: true }],
        "cache-from": ["a,b", "type=inline"],
        annotations: ["manifest:k=v"],
        ssh: [{ id: "default", paths: ["a"] }],
        resources: { memory: "1g", "cpu-quota": 5 },
        pull: "true",
      },
      m: { name: "m-${v.n}", matrix: { v: [{ n: "1" }, { n: 2 }] }, target: "${v.n}" },
    },
  },
  { target: { default: [{ context: "cwd://x" }, { "dockerfile-inline": "FROM x" }] }, local: 1 },
].map((one) => JSON.stringify(one));

const tokens = [
  "null",
  "true",
  "-1",
  "1e300",
  "[",
  "]",
  "{",
  "}",
  ",",
  ":",
  '"',
  '""',
  "${",
  "$${",
  "%{",
  "${T}",
  "${L}",
  "${m.n}",
  "${constructor}",
  "target:app",
  "target:",
  "inherits",
  "matrix",
  "name",
  '"__proto__":{},',
  "\\ud800",
  "\x1b[2J",
  "[".repeat(70),
  ',"inherits":["app"]',
];

test(
  "a bake file is refused with a place, or is words for build",
  async () => {
    const refusals = /^(?:bake-file-invalid|bake-unsupported|usage|name-invalid)$/;
    const tried = await fuzz(mutate(documents, tokens), async (bytes) => {
      const { value } = await judge(
        () => resolveTexts([bytes]).targets.map((one) => toBuildWords(one)),
        refusals,
      );
      for (const words of value ?? [])
        hold(readBuildLine(words).error === undefined, `no command line: ${words.join(" ")}`);
    });
    expect(tried).toBeGreaterThanOrEqual(runs);
  },
  fuzzTimeout,
);
