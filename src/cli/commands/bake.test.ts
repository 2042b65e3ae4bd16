import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { captureIo } from "../../../test/support/capture-io.ts";
import { resolveTexts } from "../../../test/support/bake.ts";
import { renderBake } from "../bake/print.ts";
import { runBake } from "./bake.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "xbuild-bake-"));
});
afterEach(() => rm(directory, { recursive: true }));

type Files = Readonly<Record<string, object | string>>;

async function print(files: Files, words: readonly string[] = [], env = {}) {
  for (const [name, content] of Object.entries(files))
    await writeFile(
      join(directory, name),
      typeof content === "string" ? content : JSON.stringify(content),
    );
  // No docker is in reach.
  const { io, printed } = captureIo({ cwd: directory, env: { PATH: directory, ...env } });
  expect(await runBake(["--print", ...words], io)).toBe(0);
  const { target } = JSON.parse(printed.stdout);
  return { target, stderr: printed.stderr };
}

const tagged = (tag: string) => ({ target: { default: { tags: [tag] } } });

describe("which files are read", () => {
  test.each<[string, Files, readonly string[], Readonly<Record<string, string>>, string]>([
    ["docker-bake.json", { "docker-bake.json": tagged("a") }, [], {}, "a"],
    [
      "the override over it",
      { "docker-bake.override.json": tagged("b"), "docker-bake.json": tagged("a") },
      [],
      {},
      "b",
    ],
    ["-f alone", { "docker-bake.json": tagged("a"), x: tagged("x") }, ["-f", "x"], {}, "x"],
    ["the last -f", { x: tagged("x"), y: tagged("y") }, ["-f", "y", "-f", "x"], {}, "x"],
    [
      "the environment's",
      { "docker-bake.json": tagged("a"), x: tagged("x"), y: tagged("y") },
      [],
      { BUILDX_BAKE_FILE: "x:y" },
      "y",
    ],
    ["-f over the environment's", { x: tagged("x") }, ["-f", "x"], { BUILDX_BAKE_FILE: "y" }, "x"],
  ])("%s", async (_, files, words, env, tag) => {
    const { target } = await print(files, words, env);
    expect(target.default.tags).toEqual([tag]);
  });

  test.each<[string, Files, readonly string[], string, string]>([
    ["none", {}, [], "file-not-found", "there is no docker-bake.json, no docker-bake.hcl here"],
    [
      "one that is not there",
      {},
      ["-f", "x"],
      "file-not-found",
      "the bake file x cannot be read (ENOENT)",
    ],
    ["a directory", {}, ["-f", "."], "file-not-found", "the bake file . cannot be read (EISDIR)"],
    ["Compose", {}, ["-f", "compose.yaml"], "usage", "-f compose.yaml: Compose files are not read"],
    [
      "another machine's",
      {},
      ["https://example.org/a.git"],
      "usage",
      "https://example.org/a.git: a bake file is read on this machine alone",
    ],
    [
      "HCL without docker",
      { "docker-bake.json": tagged("a"), "docker-bake.hcl": "" },
      [],
      "buildx-failed",
      "docker-bake.hcl is HCL, which xbuild has docker buildx read, and that is not installed",
    ],
    [
      "HCL by its first character",
      { x: "# HCL" },
      ["-f", "x"],
      "buildx-failed",
      "x is HCL, which xbuild has docker buildx read, and that is not installed",
    ],
  ])("%s", async (_, files, words, code, message) => {
    await expect(print(files, words)).rejects.toMatchObject({ code, message });
  });
});

test("--var over the environment over the default; flags that are short for --set", async () => {
  const variable = { A: { default: "a" }, B: { default: "a" }, C: { default: "a" } };
  const target = { default: { args: { A: "${A}", B: "${B}", C: "${C}" } } };
  const words = ["--var", "C=var", "--push", "--no-cache", "--pull=false", "--provenance=false"];
  const env = { B: "env", C: "env" };
  const printed = await print({ "docker-bake.json": { variable, target } }, words, env);
  expect(printed.target.default).toEqual({
    context: ".",
    args: { A: "a", B: "env", C: "var" },
    attest: [{ disabled: "true", type: "provenance" }],
    output: [{ push: "true", type: "image" }],
    pull: false,
    "no-cache": true,
  });
  const closed = { ...env, BUILDX_BAKE_DISABLE_VARS_ENV_LOOKUP: "1" };
  const alone = await print({ "docker-bake.json": { variable, target } }, [], closed);
  expect(alone.target.default.args).toEqual({ A: "a", B: "a", C: "a" });
});

test("a key that nobody knows is told of, with its place", async () => {
  const text = '{"target":{"default":{"tag":["x"]}},"variable":{"V":{"defalt":1}}}';
  const { target, stderr } = await print({ "docker-bake.json": text });
  expect(target.default).toEqual({ context: "." });
  expect(stderr).toContain(
    'docker-bake.json:1:29: warning[bake-key-unknown]: the target default has the key "tag", which is not known and left out\n',
  );
  expect(stderr).toContain("did you mean tags?");
  expect(stderr).toContain('1:63: warning[bake-key-unknown]: the variable V has the key "defalt"');
});

test("what is printed says the same again", () => {
  const document = {
    esc: "$${X} %%{Y}",
    group: { default: { targets: ["a", "m"] } },
    target: {
      a: {
        args: { A: "${esc}", "${esc}": "x" },
        "dockerfile-inline": "FROM x\nRUN echo $${A}",
        contexts: { b: "target:b" },
        output: ["type=oci,dest=x", "type=image,push=true"],
        secret: [{ id: "s", env: "E" }],
        ssh: ["k=a,b"],
        resources: { "cpu-quota": 5, memory: "1g" },
        network: "host",
        pull: false,
      },
      b: { tags: ["b"] },
      m: { name: "m-${v}", matrix: { v: ["1", "2"] }, args: { V: "${v}" } },
    },
  };
  const first = resolveTexts([JSON.stringify(document)]);
  const printed = renderBake(first).visible;
  const second = resolveTexts([printed]);
  expect(second.targets).toEqual(first.targets);
  expect(renderBake(second).visible).toBe(printed);
  expect(Object.keys(JSON.parse(printed).target)).toEqual(["a", "b", "m-1", "m-2"]);
});

test.each([["--report=x.md"], ["--report"]])(
  "%s behind -- would be written by each target anew: it is refused",
  async (word) => {
    const { io } = captureIo({ cwd: directory });
    await expect(runBake(["--", word, "x.md"], io)).rejects.toThrow(`${word} stands behind --`);
  },
);
