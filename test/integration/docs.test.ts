import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "../../src/cli/commands.ts";
import { parseCommandLine } from "../../src/cli/line/arguments.ts";
import { buildFlags } from "../../src/cli/line/build-flags.ts";
import { outputFlags } from "../../grammar/grammar.ts";
import { parseContainerfile } from "../../src/containerfile/parse.ts";
import { checkContainerfile } from "../../src/containerfile/rules.ts";
import { instructionFlags } from "../../src/containerfile/rules/flags.ts";
import { resolveStages } from "../../src/containerfile/stages.ts";
import type { Diagnostic } from "../../src/diagnostics.ts";
import { describeVersion } from "../../src/engine/versions.ts";
import { captureIo } from "../support/capture-io.ts";
import { listCalls, listPages, listSnippets, readPage, readSnippets } from "../support/snippets.ts";

// Every fenced block of README.md, docs/ and the examples' pages is classified, and judged by its kind. Those that are
// built (`build`) are in test/e2e/docs.test.ts.

const snippets = listSnippets();

function ofKind(kind: string) {
  return snippets.filter((one) => one.kind === kind);
}

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "xbuild-docs-"));
  mkdirSync(join(directory, "tools"));
});
afterAll(() => rmSync(directory, { recursive: true }));

describe("the blocks of all pages", () => {
  const kinds = "bad bake build commands good json line parse script synopsis text".split(" ");

  test.each(snippets.map((one) => [one.place, one.kind] as const))("%s is classified", (_, kind) =>
    expect(kinds).toContain(kind),
  );

  test("one that nothing is said of is found", () => {
    const text = "# Page\n\n```\nFROM a\n```\n\n<!-- snippet: text -->\n```sh\nb\n```\n";
    expect(readSnippets("docs/x.md", text).map(({ place, kind }) => [place, kind])).toEqual([
      ["docs/x.md:3", undefined],
      ["docs/x.md:8", "text"],
    ]);
  });
});

/** What a page leaves out of a text that would be long. */
const abbreviations: readonly (readonly [short: string, long: string])[] = [
  ["RUN step 1\n...\n", Array.from({ length: 116 }, (_, at) => `RUN step ${at + 1}\n`).join("")],
  ["aaaa...  (70,000 letters)", "a".repeat(70_000)],
];

/** What is found in a snippet. A fragment stands in a stage behind another one, `build`. */
function check(text: string, code = ""): readonly Diagnostic[] {
  const target = /^xbuild --target=(?<target>\S+) \.$/m.exec(text)?.groups?.["target"];
  const long = abbreviations.reduce((all, [short, full]) => all.replace(short, full), text);
  const source = target === undefined ? complete(long, code) : "FROM alpine:3.20 AS build\n";
  const containerfile = parseContainerfile(Buffer.from(source), "Containerfile");
  const graph = resolveStages(containerfile, {
    ...(target === undefined ? {} : { target }),
    buildArgs: new Map(),
    buildContexts: new Set(),
    targetPlatform: "linux/amd64",
    buildPlatform: "linux/amd64",
  });
  return checkContainerfile(containerfile, graph, { engine: describeVersion("buildah", "1.28.2") });
}

function complete(text: string, code: string): string {
  const isWhole = /^(?:ARG .*\n)*[ \t]*FROM /im.test(text);
  if (isWhole || code === "no-instructions") return text;
  if (text.startsWith("#")) return `${text}FROM alpine:3.20\n`;
  // Rather before what stands last: a heredoc may be open there.
  const after = /^OUTPUT/im.test(text) && !/^RUN/im.test(text) ? "RUN true\n" : "";
  return `FROM alpine:3.20 AS build\nRUN true\nFROM alpine:3.20\n${text}${after}`;
}

function listErrors(findings: readonly Diagnostic[]): readonly string[] {
  return findings.filter(({ severity }) => severity === "error").map(({ code }) => code);
}

describe("rules", () => {
  test.each(ofKind("bad"))("$place: $name is found", ({ name, text }) => {
    expect(check(text, name).map(({ code }) => code)).toContain(name);
  });

  test.each(ofKind("good"))("$place: $name is not found, and no error", ({ name, text }) => {
    const findings = check(text, name);
    expect(findings.map(({ code }) => code)).not.toContain(name);
    expect(listErrors(findings)).toEqual([]);
  });
});

test.each([...ofKind("parse"), ...ofKind("build")].filter(({ text }) => text.startsWith("FROM")))(
  "$place is a Containerfile without errors",
  ({ text }) => expect(listErrors(check(text))).toEqual([]),
);

test.each(ofKind("line"))("$place is an instruction", ({ text }) => {
  expect(parseContainerfile(Buffer.from(text), "x").instructions).toHaveLength(1);
  expect(listErrors(check(text))).toEqual([]);
});

test.each(ofKind("json"))("$place is JSON", ({ text }) => {
  expect(() => JSON.parse(text) as unknown).not.toThrow();
});

/** Refuses a command line that names what does not exist. */
async function assertCall(words: readonly string[]): Promise<void> {
  const [command = "", ...rest] = words;
  const { io } = captureIo({ cwd: directory, env: { HOME: directory } });
  if (command === "--version" || words.join(" ") === "cache path") return;
  const own =
    "bake check collect expand help images ls parse plan rebase rmi split tag cache".split(" ");
  const end = words.includes("--") ? words.indexOf("--") : words.length;
  if (own.includes(command)) {
    await runCommand([...words.slice(0, end), "--help"], io);
    const behind = words.slice(end + 1);
    if (command === "bake") parseCommandLine(behind, buildFlags);
    return;
  }
  const line = parseCommandLine(command === "build" ? rest : words, buildFlags);
  expect(line.operands.length).toBeLessThanOrEqual(1);
}

describe("commands", () => {
  test.each([...ofKind("commands"), ...ofKind("script")])(
    "$place: what they name exists",
    async ({ page, text }) => {
      const { scripts }: { scripts: Record<string, string> } = JSON.parse(readPage("package.json"));
      const npm = listCalls(text, "npm").filter(([verb]) => verb === "run" || verb === "test");
      for (const [verb = "", name = verb] of npm)
        expect(Object.keys(scripts)).toContain(verb === "test" ? verb : name);
      const files = listCalls(text, "bash").map(([file = ""]) => file);
      for (const file of files)
        expect([file, existsSync(resolve(dirname(page), file))]).toEqual([file, true]);
      const calls = listCalls(text, "xbuild");
      for (const words of calls) await assertCall(words);
      expect(npm.length + files.length + calls.length + listCalls(text, "skopeo").length).not.toBe(
        0,
      );
    },
  );

  test.each(ofKind("synopsis"))("$place: what it names exists", async ({ text }) => {
    const plain = text.replaceAll(/\[|\]|\.{3}/g, "");
    for (const words of listCalls(plain, "xbuild")) await assertCall(words);
    const helper = readPage("helper/main.sh");
    for (const [verb = ""] of listCalls(plain, "layer")) expect(helper).toMatch(`${verb})`);
  });

  test("a flag that does not exist is found", async () => {
    const [words = []] = listCalls("  - TAG=v2 xbuild cache prune --max-siez 1g | cat", "xbuild");
    expect(words).toEqual(["cache", "prune", "--max-siez", "1g"]);
    await expect(assertCall(words)).rejects.toThrow("unknown flag --max-siez");
    await expect(assertCall(["-t", "a", "--no-cahce", "."])).rejects.toThrow("unknown flag");
  });
});

/** Those of every command, and of the language: a command's help lists its own. */
async function listKnownFlags(): Promise<ReadonlySet<string>> {
  const { io, printed } = captureIo({ cwd: directory, env: { HOME: directory } });
  for (const command of [
    "bake",
    "check",
    "collect",
    "images",
    "parse",
    "plan",
    "rebase",
    "split",
    "cache ls",
    "cache prune",
    "cache verify",
  ])
    await runCommand([...command.split(" "), "--help"], io);
  const helped = [...printed.stdout.matchAll(/--(?<name>[a-z][a-z-]*)/g)];
  return new Set([
    ...buildFlags.map(({ name }) => name),
    ...helped.map(({ groups }) => groups?.["name"] ?? ""),
    ...Object.keys(outputFlags),
    ...Object.values(instructionFlags).flatMap((names) =>
      names.map((name) => name.replace(/[*?]$/, "")),
    ),
  ]);
}

/** What stands between backquotes in the text of a page. */
function listSpans(page: string): readonly string[] {
  const text = readPage(page).replaceAll(/^ *```[^]*?^ *```/gm, "");
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span.replaceAll("\\|", "|"));
}

test.each(listPages())("%s: calls of xbuild in the text name what exists", async (page) => {
  const calls = listSpans(page).filter((span) => span.startsWith("xbuild "));
  const judged = calls.map((span) => {
    const words = span
      .replace(/ [<>] .*/, "")
      .replaceAll(/\[(?:[^[\]]*\s)?flags[^[\]]*\]|\[|\]|\.{3}/g, "")
      .split(/\s+/)
      .map((word) => word.split("|")[0] ?? "")
      .filter((word) => word !== "");
    return assertCall(words.slice(1));
  });
  await expect(Promise.all(judged)).resolves.toHaveLength(calls.length);
});

/** Of buildah, skopeo, tar, npm and uv, of `layer split`, of the benchmarks; bake's that its help leaves out. */
const otherFlags = new Set(
  "password-stdin raw root name owner group xattrs xattrs-include max map max-layer-bytes above before exclude-newer provenance sbom render import-cache opt call cache-to".split(
    " ",
  ),
);

const isOther = (name: string): boolean =>
  // buildkitd's, that stand in manifests; buildctl's; a podman's that is another one's client.
  name.startsWith("oci-worker-") ||
  ["addr", "remote", "url", "connection"].includes(name) ||
  otherFlags.has(name);

test.each(listPages())("%s: flags in the text exist", async (page) => {
  const flags = listSpans(page).flatMap((span) =>
    [...span.matchAll(/(?<![\w-])--(?<name>[a-z][a-z-]*)/g)].map(
      ({ groups }) => groups?.["name"] ?? "",
    ),
  );
  const known = await listKnownFlags();
  expect(flags.filter((name) => !known.has(name) && !isOther(name))).toEqual([]);
});

test.each(ofKind("bake"))("$place: bake reads it", async ({ text }) => {
  writeFileSync(join(directory, "docker-bake.json"), text);
  const { io, printed } = captureIo({ cwd: directory, env: { HOME: directory } });
  expect(await runCommand(["bake", "--print"], io)).toBe(0);
  expect(printed.stderr).toBe("");
});
