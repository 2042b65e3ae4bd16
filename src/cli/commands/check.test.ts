import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { captureIo } from "../../../test/support/capture-io.ts";
import { XbuildError } from "../../errors.ts";
import { runCheck } from "./check.ts";
import type { Command } from "../io.ts";
import { runParse } from "./parse.ts";

let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "xbuild-check-"));
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

/** Runs a command beside a Containerfile, without an engine in reach. */
async function run(command: Command, text: string, ...argv: string[]) {
  await writeFile(join(directory, "Containerfile"), text);
  const { io, printed } = captureIo({ cwd: directory, env: { TOKEN: "from the environment" } });
  return { status: await command(argv, io), ...printed };
}

const clean = "FROM alpine:3.20\nRUN true\n";
const faulty = "FROM alpine:3.20\nENV ü=1 b\nOUTPUT, /l%\nRUN true\n";

describe("check", () => {
  test("prints nothing where nothing is found", async () => {
    expect(await run(runCheck, clean)).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  test("prints findings and their number, and exits with 1", async () => {
    const { status, stdout, stderr } = await run(runCheck, "FROM alpine\nWORKDIR\n");
    expect([status, stderr]).toEqual([1, ""]);
    expect(stdout).toMatch(/^Containerfile:1:6: warning\[base-without-version\]: /);
    expect(stdout).toContain("\n\nContainerfile:2:1: error[arguments-missing]: ");
    expect(stdout).toMatch(/\n\n1 error, 1 warning\n$/);
  });

  test("says once where the page of a code is", async () => {
    const { stdout } = await run(runCheck, "FROM alpine\nFROM debian\n");
    const page = "  page: file:///xbuild/docs/rules/stages.md#base-without-version";
    expect(stdout.split("\n").filter((line) => line.includes("page:"))).toEqual([page]);
  });

  test("as JSON, with columns of bytes", async () => {
    const { status, stdout } = await run(runCheck, faulty, "--format=json");
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      diagnostics: [
        {
          code: "key-value-no-equals",
          severity: "error",
          file: "Containerfile",
          line: 2,
          column: 10,
          endLine: 2,
          endColumn: 11,
          page: "file:///xbuild/docs/rules/syntax.md#key-value-no-equals",
        },
        { code: "instruction-unknown", line: 3, column: 1, endColumn: 8 },
      ],
    });
    expect(JSON.parse((await run(runCheck, clean, "--format=json")).stdout)).toEqual({
      diagnostics: [],
    });
  });

  test("as SARIF, with columns of UTF-16 units", async () => {
    const { stdout } = await run(runCheck, faulty, "--format", "sarif");
    const log = JSON.parse(stdout);
    expect(log).toMatchObject({ version: "2.1.0", runs: [{ columnKind: "utf16CodeUnits" }] });
    const [{ tool, results }] = log.runs;
    expect(tool.driver.rules.map(({ id }: { id: string }) => id)).toEqual([
      "key-value-no-equals",
      "instruction-unknown",
    ]);
    expect(tool.driver.rules[1]).toMatchObject({
      helpUri: "file:///xbuild/docs/rules/instructions.md#instruction-unknown",
      defaultConfiguration: { level: "error" },
    });
    expect(results[0]).toMatchObject({
      ruleId: "key-value-no-equals",
      level: "error",
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: "Containerfile" },
            region: { startLine: 2, startColumn: 9, endColumn: 10, byteOffset: 26, byteLength: 1 },
          },
        },
      ],
    });
  });

  test("as GitHub's workflow commands, escaped", async () => {
    const { stdout } = await run(runCheck, faulty, "--format=github");
    const [first, second] = stdout.split("\n");
    expect(first).toMatch(
      /^::error file=Containerfile,line=2,endLine=2,col=9,endColumn=10,title=key-value-no-equals::ENV expects /,
    );
    expect(second).toMatch(/::unknown instruction OUTPUT,%0Adid you mean OUTPUT\?$/);
  });

  test.each<[string, string[], number]>([
    ["ARG V\nFROM alpine:3.$V AS a\nFROM $B\n", ["--build-arg=B=a"], 1],
    ["ARG B\nFROM alpine:3.20 AS a\nFROM $B\n", ["--build-arg=B=a"], 0],
    ["ARG TOKEN\nFROM x:$TOKEN\n", [], 1],
    ["FROM base\n", ["--build-context=base=dir"], 0],
    ["FROM x:1 AS a\n", ["--target", "a"], 0],
    ["FROM x:1 AS a\n", ["--target", "b"], 1],
    ["FROM x:1 AS a\nFROM x:1 AS b\n", ["--target", "a", "--target", "b"], 0],
    ["FROM x:1 AS a\nFROM x:1 AS b\n", ["--target", "c", "--target", "b"], 1],
    ["FROM x:$TARGETARCH\n", ["--platform=linux/arm64"], 0],
  ])("%j with %j exits with %s", async (text, argv, status) => {
    expect((await run(runCheck, text, ...argv)).status).toBe(status);
  });

  test("takes the file by name, or the context", async () => {
    await writeFile(join(directory, "other"), "FROM alpine\n");
    expect((await run(runCheck, clean, "-f", "other")).stdout).toMatch(/^other:1:6: /);
    expect((await run(runCheck, "FROM alpine\n", ".")).stdout).toMatch(/^Containerfile:1:6: /);
  });

  test.each<[string[], string]>([
    [["--format=sarrif"], "use text, json, sarif or github; did you mean sarif?"],
    [["--fromat=text"], "did you mean --format?"],
    [["a", "b"], "see xbuild --help"],
    [["--engine=docker"], "use buildah, podman or buildkit"],
  ])("%j is wrong usage", async (argv, hint) => {
    const error = await run(runCheck, clean, ...argv).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(XbuildError);
    expect(error).toMatchObject({ code: "usage", exitStatus: 125, hint });
  });

  test("says how it is used", async () => {
    expect(await run(runCheck, clean, "--help")).toMatchObject({ status: 0 });
  });
});

describe("parse", () => {
  test("prints what BuildKit's parser sees", async () => {
    const text = '# escape=`\nfrom a\nCOPY --x="1 2" <<E <<F `\n /d\nE\nF\nCMD ["a"]\nFoo\n';
    const { status, stdout, stderr } = await run(runParse, text, "--json", "Containerfile");
    expect([status, stderr]).toEqual([0, ""]);
    const plain = { flags: [], heredocs: [], json: false };
    expect(JSON.parse(stdout)).toEqual({
      escape: "`",
      instructions: [
        { ...plain, keyword: "FROM", startLine: 2, endLine: 2 },
        {
          ...plain,
          keyword: "COPY",
          startLine: 3,
          endLine: 6,
          flags: ["--x=1 2"],
          heredocs: ["E", "F"],
        },
        { ...plain, keyword: "CMD", startLine: 7, endLine: 7, json: true },
        { ...plain, keyword: "FOO", startLine: 8, endLine: 8 },
      ],
    });
  });

  test("exits with 1 for what that parser refuses, and says it on stderr", async () => {
    const { status, stdout, stderr } = await run(runParse, "FROM a\nENV X\n", "Containerfile");
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^Containerfile:2:5: error\[key-value-missing\]: /);
  });

  test.each([
    "FROM a\nRUN a \\\n\n b\n",
    "FROM a\nOUTPUT --nope relative\n",
    "FROM a\nNOPE\nCOPY --nope a\nENV A=${\n",
    "RUN a\n",
  ])("exits with 0 for %j", async (text) => {
    expect(await run(runParse, text, "Containerfile")).toMatchObject({ status: 0, stderr: "" });
  });

  test("flags come letter for letter as BuildKit reads their bytes", async () => {
    const { stdout } = await run(runParse, "FROM a\nCOPY --x=ü a b\n", "Containerfile");
    expect(JSON.parse(stdout).instructions[1].flags).toEqual(["--x=Ã¼"]);
  });

  test.each<[string[], string, number]>([
    [[], "usage", 125],
    [["a", "b"], "usage", 125],
    [["nothing-here"], "file-not-found", 125],
  ])("%j fails", async (argv, code, exitStatus) => {
    const error = await run(runParse, clean, ...argv).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, exitStatus });
  });
});
