import { expect, test } from "vitest";

import type { PlacedDiagnostic } from "../place.ts";
import { parseContainerfile } from "../parse.ts";
import { checkContainerfile } from "../rules.ts";
import { resolveStages } from "../stages.ts";
import { underlineParts } from "./underline.ts";

const options = {
  buildArgs: new Map<string, string>(),
  buildContexts: new Set<string>(),
  targetPlatform: "linux/amd64",
  buildPlatform: "linux/amd64",
};

function check(text: string) {
  const containerfile = parseContainerfile(Buffer.from(text, "latin1"), "F");
  const graph = resolveStages(containerfile, options);
  return { containerfile, findings: checkContainerfile(containerfile, graph) };
}

/** What is underlined of the first finding of that code. */
function underline(text: string, code: string): string | undefined {
  const { containerfile, findings } = check(text);
  const span = underlineParts(findings, containerfile).find((one) => one.code === code)?.span;
  return span && text.slice(span.start.offset, span.end.offset);
}

test.each<[code: string, text: string, underlined: string]>([
  ["stage-name-reserved", "FROM a:1 AS scratch", "scratch"],
  ["base-without-version", "FROM --platform=x alpine AS b", "alpine"],
  ["base-without-version", "FROM a:1\nOUTPUT --from=b:1 --from=debian /l", "--from=debian"],
  ["base-blank", "ARG A=\nFROM $A AS b", "$A"],
  ["expansion-invalid", "FROM a:${B:=1} AS b", "a:${B:=1}"],
  ["expansion-invalid", "FROM a:1\nENV A=1 B=${C D=2", "B=${C"],
  ["expansion-invalid", "FROM a:1\nCOPY a ${C b", "${C"],
  ["expansion-invalid", 'FROM a:1\nCOPY ["a", "${C", "b"]', '"${C"'],
  ["expansion-invalid", "FROM a:1\nOUTPUT --input=all ${C:=1}", "${C:=1}"],
  ["secret-in-variable", "FROM a:1\nENV A=1 MY_TOKEN=x B=2", "MY_TOKEN=x"],
  ["secret-in-variable", "FROM a:1\nARG A MY_TOKEN", "MY_TOKEN"],
  ["key-value-no-equals", "FROM a:1\nLABEL a=b c d=e", "c"],
  ["from-arguments", "FROM a:1 AS", "AS"],
  ["output-path-relative", "FROM a:1\nOUTPUT --input=all l", "l"],
  ["output-path-in-base", "FROM a:1\nOUTPUT --input=all /usr", "/usr"],
  ["output-path-root", 'FROM a:1\nOUTPUT --input=all ["/"]', '["/"]'],
])("%s of %j", (code, text, underlined) => {
  expect(underline(text, code)).toBe(underlined);
});

test.each<[why: string, code: string, text: string, underlined: string]>([
  [
    "where the library's words are others",
    "expansion-invalid",
    'FROM a:1\nCOPY "b c" ${C b',
    '"b c" ${C b',
  ],
  [
    "where the part begins in another line than the arguments, which is the finding's",
    "secret-in-variable",
    "FROM a:1\nENV A=1 \\\n  MY_TOKEN=x",
    "A=1 \\\n  MY_TOKEN=x",
  ],
  [
    "where flags stand among triggers",
    "output-onbuild",
    "FROM a:1\nONBUILD ONBUILD --x OUTPUT /l",
    "ONBUILD --x OUTPUT /l",
  ],
  [
    "where ONBUILD's trigger is meant",
    "key-value-no-equals",
    "FROM a:1\nONBUILD ENV a=b c",
    "ENV a=b c",
  ],
])("the whole instruction %s", (_, code, text, underlined) => {
  expect(underline(text, code)).toBe(underlined);
});

test("a path in another line than the arguments, likewise", () => {
  const text = "FROM a:1\nOUTPUT --input=all \\\n  \\\n  l\nRUN x";
  expect(underline(text, "output-path-relative")).toBe("l");
});

test("a thousand places are looked at, and the findings behind them keep theirs", () => {
  const { containerfile, findings } = check(`FROM a:1\n${"ENV A=1 MY_TOKEN=x\n".repeat(1001)}`);
  const all = findings.filter(({ code }) => code === "secret-in-variable");
  const widths = underlineParts(all, containerfile).map(
    ({ span }) => (span?.end.offset ?? 0) - (span?.start.offset ?? 0),
  );
  expect([widths.length, widths[999], widths[1000]]).toEqual([1001, 10, 14]);
});

test("findings without a place stay as they are, in source order", () => {
  const { containerfile, findings } = check("FROM alpine\nNOPE\nCOPY --nope a b");
  const plain: readonly PlacedDiagnostic[] = findings.filter(({ place }) => place === undefined);
  expect(plain).toHaveLength(2);
  expect(underlineParts(plain, containerfile)).toEqual(plain);
  expect(underlineParts(findings.toReversed(), containerfile).map(({ code }) => code)).toEqual([
    "base-without-version",
    "instruction-unknown",
    "flag-unknown",
  ]);
});
