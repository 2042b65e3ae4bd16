import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

import { splitCommand } from "../../grammar/command.ts";
import { type Code, codes, findPage } from "../codes.ts";
import { renderDiagnostic } from "../diagnostics.ts";
import type { Containerfile, ResolveOptions } from "../containerfile/model.ts";
import { parseContainerfile } from "../containerfile/parse.ts";
import { checkContainerfile, rules } from "../containerfile/rules.ts";
import type { CheckOptions } from "../containerfile/rules/model.ts";
import { resolveStages } from "../containerfile/stages.ts";
import { decodeText } from "../containerfile/text.ts";

// `vitest -u` writes the expected files anew: read the difference before committing it.
const corpus = fileURLToPath(new URL("../../grammar/corpus", import.meta.url));
const platform = { targetPlatform: "linux/amd64", buildPlatform: "linux/amd64" };

interface CaseOptions extends CheckOptions {
  readonly target?: string;
}

function listCases(kind: "ok" | "bad"): string[] {
  return readdirSync(join(corpus, kind)).toSorted();
}

function readCase(kind: "ok" | "bad", name: string): Containerfile {
  return parseContainerfile(
    readFileSync(join(corpus, kind, name, "Containerfile")),
    "Containerfile",
  );
}

function readOptions(name: string): CaseOptions {
  const path = join(corpus, "bad", name, "options.json");
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
}

function check(containerfile: Containerfile, { target, ...options }: CaseOptions) {
  const resolve: ResolveOptions = {
    ...platform,
    ...(target === undefined ? {} : { target }),
    buildArgs: new Map(),
    buildContexts: new Set(),
  };
  return checkContainerfile(containerfile, resolveStages(containerfile, resolve), options);
}

function describeFile({ escape, instructions }: Containerfile) {
  return {
    escape,
    instructions: instructions.map((one) => ({
      keyword: one.keyword,
      lines: [one.span.start.line, one.endLine],
      bytes: [one.span.start.offset, one.span.end.offset],
      text: decodeText(one.text),
      flags: splitCommand(one.text, escape).flags.map((flag) => flag.text),
      args: decodeText(one.args),
      json: one.json,
      heredocs: one.heredocs.map((heredoc) => ({ ...heredoc, body: decodeText(heredoc.body) })),
    })),
  };
}

describe("what BuildKit's parser accepts", () => {
  test.each(listCases("ok"))("%s", async (name) => {
    const containerfile = readCase("ok", name);
    expect(containerfile.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    const expected = join(corpus, "ok", name, "expected.json");
    const json = `${JSON.stringify(describeFile(containerfile), undefined, 2)}\n`;
    await expect(json).toMatchFileSnapshot(expected);
  });
});

describe("what is found fault with, as it is rendered", () => {
  test.each(listCases("bad"))("%s", async (name) => {
    const findings = check(readCase("bad", name), readOptions(name));
    expect(findings).not.toEqual([]);
    const text = findings.map((one) => `${renderDiagnostic(one)}\n`).join("\n");
    await expect(text).toMatchFileSnapshot(join(corpus, "bad", name, "expected.txt"));
  });
});

describe("every rule", () => {
  const cases = new Map(
    listCases("bad").map((name) => [name, check(readCase("bad", name), readOptions(name))]),
  );

  test.each(rules.map(({ code }) => code))("%s has a case of its name", (code) => {
    const found = cases.get(code)?.find((finding) => finding.code === code);
    expect(found?.severity).toBe(codes[code].severity);
    expect(found?.message).not.toMatch(/\.$/);
  });

  test.each(rules)("$code is on its page in the same words", ({ code, summary }) => {
    const [page = ""] = findPage(code).split("#");
    const text = readFileSync(new URL(`../../${page}`, import.meta.url), "utf8");
    expect(text).toContain(
      `\n## ${code}\n\n*${codes[code].severity === "error" ? "Error" : "Warning"}.* ${summary}.\n`,
    );
  });

  test("finds nothing that no rule is listed for", () => {
    const listed = new Set<Code>(rules.map(({ code }) => code));
    const found = [...cases.values()].flat().map(({ code }) => code);
    expect(found.filter((code) => !listed.has(code))).toEqual([]);
  });

  test("is listed once", () => {
    const listed = rules.map(({ code }) => code).toSorted();
    const rows = Object.entries(codes).filter(([, { kind }]) => kind === "rule");
    expect(listed).toEqual(rows.map(([code]) => code).toSorted());
  });
});
