import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

import { type Code, codes, findPage } from "../codes.ts";
import { type Diagnostic, renderDiagnostic } from "../diagnostics.ts";
import type { Containerfile, ResolveOptions } from "../containerfile/model.ts";
import { parseContainerfile } from "../containerfile/parse.ts";
import { checkContainerfile, rules } from "../containerfile/rules.ts";
import type { CheckOptions } from "../containerfile/rules/model.ts";
import { resolveStages } from "../containerfile/stages.ts";
import { underlineParts } from "../containerfile/view/underline.ts";
import { describeVersion } from "../engine/versions.ts";

// `vitest -u` writes the expected files anew: read the difference before committing it.
const corpus = fileURLToPath(new URL("../../grammar/corpus/bad", import.meta.url));
const platform = { targetPlatform: "linux/amd64", buildPlatform: "linux/amd64" };

interface CaseOptions extends CheckOptions {
  readonly target?: string;
}

/** What stands in a case's `options.json`. */
interface WrittenOptions {
  readonly target?: string;
  readonly engine?: { readonly name: string; readonly version: string };
}

function listCases(): string[] {
  return readdirSync(corpus).toSorted();
}

function readCase(name: string): Containerfile {
  return parseContainerfile(readFileSync(join(corpus, name, "Containerfile")), "Containerfile");
}

function readOptions(name: string): CaseOptions {
  const path = join(corpus, name, "options.json");
  if (!existsSync(path)) return {};
  const { engine, ...others }: WrittenOptions = JSON.parse(readFileSync(path, "utf8"));
  return engine === undefined
    ? others
    : { ...others, engine: describeVersion(engine.name, engine.version) };
}

function check(containerfile: Containerfile, { target, ...options }: CaseOptions) {
  const resolve: ResolveOptions = {
    ...platform,
    ...(target === undefined ? {} : { target }),
    buildArgs: new Map(),
    buildContexts: new Set(),
  };
  const findings = checkContainerfile(
    containerfile,
    resolveStages(containerfile, resolve),
    options,
  );
  const underlined = underlineParts(findings, containerfile);
  expect(listTold(underlined)).toEqual(listTold(findings));
  return underlined;
}

/** What must not hang on which words are underlined. */
function listTold(findings: readonly Diagnostic[]): readonly string[] {
  return findings
    .map(({ code, severity, span }) => `${span?.start.line} ${severity} ${code}`)
    .toSorted((a, b) => a.localeCompare(b));
}

describe("what is found fault with, as it is rendered", () => {
  test.each(listCases())("%s", async (name) => {
    const findings = check(readCase(name), readOptions(name));
    expect(findings).not.toEqual([]);
    const text = findings.map((one) => `${renderDiagnostic(one)}\n`).join("\n");
    await expect(text).toMatchFileSnapshot(join(corpus, name, "expected.txt"));
  });
});

describe("every rule", () => {
  const cases = new Map(
    listCases().map((name) => [name, check(readCase(name), readOptions(name))]),
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
