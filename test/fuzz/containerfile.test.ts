import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createIgnoreMatcher, parseIgnoreFile } from "../../src/containerfile/ignore.ts";
import { parseContainerfile } from "../../src/containerfile/parse.ts";
import { checkContainerfile } from "../../src/containerfile/rules.ts";
import { resolveStages } from "../../src/containerfile/stages.ts";
import { createPlan } from "../../src/plan/create-plan.ts";
import { fuzz, fuzzTimeout, hold, judge, mutate, runs } from "./harness.ts";

const files = [
  '# syntax=docker/dockerfile:1\nARG V=1\nFROM a:${V:-2} AS b\nENV A=1 B="x y"\nCOPY --from=b --chown=1:1 . /x\nOUTPUT /layers\nRUN <<EOF cat\nhello $A\nEOF\nCMD ["/x"]\n',
  "FROM scratch\nOUTPUT --reuse=all --compression=zstd --from=base /out\nRUN --mount=type=secret,id=k true && \\\n  # note\n  false\nLABEL a=b\nHEALTHCHECK --interval=5s CMD x\n",
  '# escape=`\nFROM a\nWORKDIR C:\\x\nRUN a `\n b\nONBUILD RUN x\nOUTPUT ["/layers"]\nEXPOSE 80/tcp\n',
];
const tokens = [
  "OUTPUT ",
  "FROM ",
  "FROM a AS b\n",
  "\\\n",
  "`\n",
  "<<EOF",
  "<<-'E'",
  "EOF\n",
  "${A:-${B:-",
  "}",
  "${A#*x}",
  "${A/x/y}",
  "$",
  "--from=",
  "--",
  "[",
  "]",
  '"',
  "'",
  "\t",
  "\r\n",
  "\0",
  "\xff",
  "\xe2\x80\xae",
  "# escape=`\n",
  "ONBUILD ",
  "ARG ",
  "HEALTHCHECK NONE\n",
];

test(
  "a Containerfile is read, judged and planned without a fault of ours; each finding has a place in it",
  async () => {
    const tried = await fuzz(mutate(files, tokens), async (bytes) => {
      const containerfile = parseContainerfile(bytes, "Containerfile");
      const options = {
        buildArgs: new Map([["V", "3"]]),
        buildContexts: new Set<string>(),
        targetPlatform: "linux/amd64",
        buildPlatform: "linux/amd64",
      };
      const graph = resolveStages(containerfile, options);
      const findings = [
        ...containerfile.diagnostics,
        ...graph.diagnostics,
        ...checkContainerfile(containerfile, graph),
      ];
      const lines = bytes.toString("latin1").split("\n").length;
      for (const { span, message } of findings) {
        hold(message !== "", "a finding says nothing");
        const line = span?.start.line ?? 1;
        hold(line >= 1 && line <= lines + 1, "a finding is outside of the file");
      }
      if (findings.some(({ severity }) => severity === "error")) return;
      await judge(() => createPlan(containerfile, graph), /./);
    });
    expect(tried).toBeGreaterThanOrEqual(runs);
  },
  fuzzTimeout,
);

describe("ignore files", () => {
  test(
    "match or do not, whatever they say",
    async () => {
      const documents = ["*.log\n!keep.log\n/a/**/b\n# note\n", "**\n!src\n!src/[a-c]*\n"];
      const marks = ["**", "*", "?", "[", "]", "[^", "\\", "!", "/", "\n", "\0", "\xff"];
      const paths = fc.constantFrom("a/x/b", "keep.log", "src/ab", "a", "x".repeat(200));
      const tried = await fuzz(fc.tuple(mutate(documents, marks), paths), ([bytes, path]) => {
        const patterns = parseIgnoreFile(bytes.toString("utf8"));
        try {
          createIgnoreMatcher(patterns)(path);
        } catch (error) {
          // A pattern that is none: its words say which.
          hold(String(error).includes("pattern"), String(error));
        }
      });
      expect(tried).toBeGreaterThanOrEqual(runs);
    },
    fuzzTimeout,
  );
});
