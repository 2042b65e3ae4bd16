import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "xbuild-generate-"));
});
afterAll(() => rm(directory, { recursive: true }));

/** A copy of what is generated, and of what it is made from beside the source. */
async function copyFiles(): Promise<string> {
  const copy = await mkdtemp(join(directory, "copy-"));
  await cp("docs", join(copy, "docs"), { recursive: true });
  await cp("grammar", join(copy, "grammar"), { recursive: true });
  return copy;
}

function generate(cwd: string, ...argv: readonly string[]) {
  return new Promise<{ readonly status: number; readonly stdout: string }>((done) => {
    const words = [resolve("scripts/generate.mjs"), ...argv];
    const child = execFile(process.execPath, words, { cwd }, (_, stdout) =>
      done({ status: child.exitCode ?? -1, stdout }),
    );
  });
}

describe("generate --check", () => {
  test("finds nothing in this repository", async () => {
    expect(await generate(".", "--check")).toEqual({ status: 0, stdout: "" });
  });

  test.each([
    "docs/schemas/config.schema.json",
    "docs/errors/README.md",
    "docs/rules/README.md",
    "grammar/output.ebnf",
    "grammar/railroad-output.svg",
    "grammar/editor/containerfile.tmLanguage.json",
  ])("names %s where it is stale, and changes nothing", async (name) => {
    const copy = await copyFiles();
    await writeFile(join(copy, name), "stale");
    const outcome = await generate(copy, "--check");
    expect(outcome).toEqual({
      status: 1,
      stdout: `${name} is not current: run npm run generate\n`,
    });
    expect(await readFile(join(copy, name), "utf8")).toBe("stale");
  });

  test("names a page of which what a part is computed from has changed", async () => {
    const copy = await copyFiles();
    const file = join(copy, "docs/scale.json");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace(/"seconds": [\d.]+/, '"seconds": 7200'));
    expect(await generate(copy, "--check")).toEqual({
      status: 1,
      stdout: "docs/scale.md is not current: run npm run generate\n",
    });
  });

  test("names a file that is missing", async () => {
    const copy = await copyFiles();
    await rm(join(copy, "docs/schemas"), { recursive: true });
    const { status, stdout } = await generate(copy, "--check");
    const named = stdout
      .trim()
      .split("\n")
      .map((line) => line.replace(/ .*/, ""));
    const schemas = await readdir("docs/schemas");
    expect(status).toBe(1);
    expect(named.toSorted()).toEqual(schemas.map((name) => `docs/schemas/${name}`).toSorted());
  });
});

test("generate writes what is stale alone", async () => {
  const copy = await copyFiles();
  await rm(join(copy, "docs/schemas"), { recursive: true });
  await writeFile(join(copy, "grammar/output.ebnf"), "stale");
  expect((await generate(copy)).stdout.trim().split("\n")).toHaveLength(7);
  expect(await generate(copy)).toEqual({ status: 0, stdout: "" });
  expect(await readFile(join(copy, "grammar/output.ebnf"))).toEqual(
    await readFile("grammar/output.ebnf"),
  );
});
