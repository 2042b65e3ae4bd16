import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mustPlan } from "../../../test/support/plans.ts";
import { assertInheritable, hideArguments } from "./hide-arguments.ts";
import type { SolveCall } from "./solve-call.ts";

function callOf(text: string, hidden: Readonly<Record<string, string>>): SolveCall {
  return {
    text,
    context: "/context",
    ignoreFile: undefined,
    sources: new Map(),
    buildArgs: new Map([["OPEN", "open"], ...Object.entries(hidden)]),
    hiddenArgs: new Set(Object.keys(hidden)),
    platform: undefined,
    noCache: false,
    flags: [],
    output: { kind: "none" },
    purpose: "test",
  };
}

/** The text that is sent, and the names of the arguments that stand on the command line. */
function hide(
  text: string,
  hidden: Readonly<Record<string, string>>,
): readonly [string, ...string[]] {
  const call = hideArguments(callOf(text, hidden));
  return [call.text, ...call.buildArgs.keys()];
}

describe("a hidden argument", () => {
  it.each([
    ["FROM a\nARG S\nRUN b\n", 'FROM a\nARG S="v"\nRUN b\n'],
    ["FROM a\nARG S=default\n", 'FROM a\nARG S="v"\n'],
    ["FROM a\narg S='de fault'\n", 'FROM a\nARG S="v"\n'],
    ["ARG S\nFROM a:$S\nARG S\n", 'ARG S="v"\nFROM a:$S\nARG S="v"\n'],
    ["FROM a\nARG A S=x B=\"1 2\" C='3'\n", 'FROM a\nARG A S="v" B="1 2" C=\'3\'\n'],
    ['FROM a\nARG A=\\" S=x\n', 'FROM a\nARG A=\\" S="v"\n'],
    ["FROM a\nARG A=` S=x\n", 'FROM a\nARG A=` S="v"\n'],
    ["FROM a\nARG A=1 \\\n  S \\\n  # why\n  B\nRUN c\n", 'FROM a\nARG A=1 S="v" B\n\n\n\nRUN c\n'],
    ["# escape=`\nFROM a\nARG A=c:\\ S\n", '# escape=`\nFROM a\nARG A=c:\\ S="v"\n'],
    ["# escape=`\nFROM a\nARG A=1 `\n S\nRUN c\n", '# escape=`\nFROM a\nARG A=1 S="v"\n\nRUN c\n'],
    ["FROM a\nARG SS S\nARG S_\n", 'FROM a\nARG SS S="v"\nARG S_\n'],
  ])("becomes a default: %j", (text, expected) => {
    expect(hide(text, { S: "v" })).toEqual([expected, "OPEN"]);
  });

  it("is one of several", () => {
    expect(hide("ARG A\nFROM a\nARG A B\n", { A: "1", B: "2", C: "3" })).toEqual([
      'ARG A="1"\nFROM a\nARG A="1" B="2"\n',
      "OPEN",
    ]);
  });

  it("is refused where a trigger declares it, and where a proxy has a password", () => {
    const triggered = { ...callOf("FROM a\nRUN b\n", { S: "v" }), triggerArgs: new Set(["S"]) };
    expect(() => hideArguments(triggered)).toThrow(/build argument S is declared by a trigger/);
    expect(() => hide("FROM a\nRUN b\n", { HTTP_PROXY: "http://u:pw@p" })).toThrow(
      /HTTP_PROXY has a password in it/,
    );
  });

  it("stays where no ARG declares it, for a proxy's has an effect", () => {
    const text = "FROM a\nRUN ARG HTTP_PROXY\n";
    expect(hide(text, { HTTP_PROXY: "http://p" })).toEqual([text, "OPEN", "HTTP_PROXY"]);
  });

  it("leaves a text alone where there is none", () => {
    const call = callOf("FROM a\nARG S\n", {});
    expect(hideArguments(call)).toBe(call);
  });

  it.each(["one\ntwo", "one\rtwo", "\n"])("of several lines is refused: %j", (value) => {
    expect(() => hide("FROM a\nARG S\n", { S: value })).toThrow(
      expect.objectContaining({ code: "usage", message: expect.not.stringContaining("two") }),
    );
  });
});

describe("an argument in the environment of buildx", () => {
  const env = { PATH: "/bin", HTTP_PROXY: "http://p" };
  it.each([
    ["TOKEN", "x"],
    ["PATH", "/bin"],
    ["HTTP_PROXY", "http://p"],
  ])("may be %s=%s", (name, value) => {
    expect(() => assertInheritable(new Map([[name, value]]), env)).not.toThrow();
  });

  it.each([
    ["PATH", "/evil"],
    ["DOCKER_HOST", "tcp://evil"],
    ["HTTP_PROXY", "http://other"],
    ["a=b", "zzz"],
  ])("may not be %s=%s", (name, value) => {
    expect(() => assertInheritable(new Map([[name, value]]), env)).toThrow(
      expect.objectContaining({ code: "usage", message: expect.not.stringContaining(value) }),
    );
  });
});

describe.each([
  ["\\", ""],
  ["`", "# escape=`\n"],
])("with the escape %s", (_, head) => {
  const read = (value: string): string | undefined => {
    const [text] = hide(`${head}FROM a\nARG S\nOUTPUT /l\nRUN c\n`, { S: value });
    const { argumentsAtOutput } = mustPlan(Buffer.from(text, "latin1")).target.layering;
    return argumentsAtOutput.find(({ name }) => name === "S")?.value;
  };

  it.each([
    "plain",
    "",
    " two  words ",
    "\ttab",
    'say "x"',
    "it's",
    "$HOME ${HOME} $$ $",
    "\\",
    "a\\b\\\\c\\",
    "`",
    "a`b``c`",
    '\\"`$',
    "# no comment",
    "<<EOF",
    "é漢😀",
    "=a=b",
  ])("%j comes to the same", (value) => {
    expect(read(value)).toBe(value);
  });

  it("any line comes to the same", () => {
    const line = fc
      .string({ unit: fc.constantFrom(..."ab \t\"'\\`$={}#<>-é".split("")), maxLength: 12 })
      .filter((value) => !/[\r\n]/.test(value));
    fc.assert(
      fc.property(line, (value) => {
        expect(read(value)).toBe(value);
      }),
      { numRuns: 300, seed: 1 },
    );
  });
});
