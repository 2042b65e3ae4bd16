import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createIgnoreMatcher, parseIgnoreFile } from "../../src/containerfile/ignore.ts";
import { parseJson } from "../../src/layers/directory/json.ts";
import { createSource } from "../../src/oci/json-places.ts";
import { createAnswerError } from "../../src/registry/failures.ts";

// Patterns are matched against what registries and builds say (CWE-1333). One that backtracks would let them stop us
// for minutes or for ever, with no signal heard: a test that hangs is how that shows here.

let root: string;

/** A checkout with the linter's real configuration and nothing else. */
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "xbuild-patterns-"));
  await copyFile(".oxlintrc.json", join(root, ".oxlintrc.json"));
  for (const name of ["node_modules", "scripts"]) {
    await symlink(join(process.cwd(), name), join(root, name));
  }
  for (const name of ["src", "grammar", "bench"]) await mkdir(join(root, name));
});

afterAll(() => rm(root, { recursive: true, force: true }));

/** What the linter says of a pattern in a file of that room. */
async function lint(room: string, expression: string): Promise<string> {
  const file = join(room, "probe.ts");
  await writeFile(join(root, file), `export const probe = ${expression};\n`);
  const { stdout } = await execa("node_modules/.bin/oxlint", [file], { cwd: root, reject: false });
  return stdout;
}

describe("the lint rule refuses", () => {
  it.each([
    ["src", "/digest .*match/i"],
    ["src", "/(?:a+)+b/"],
    ["src", '"x".replace(/\\s+$/, "")'],
    ["src", "/^(?:a|a)*$/"],
    ["src", 'new RegExp("(a*)*b")'],
    ["src", "RegExp(`x.*y`)"],
    ["src", 'new RegExp(process.env["X"] ?? "")'],
    ["grammar", "/a+a+$/"],
    // It always matches somewhere, and looks to the end of the text at each place.
    ["grammar", "/\\[[^\\]]+\\]|[^]/g"],
  ])("in %s, %s", async (room, expression) => {
    expect(await lint(room, expression)).toContain("xbuild(linear-patterns)");
  });
});

describe("the lint rule lets pass", () => {
  it.each([
    ["src", "/^[a-z]+(?:-[a-z]+)*$/"],
    ["src", "/(?<!\\/)\\/+$/"],
    ["src", 'new RegExp("^a")'],
    // What nobody else writes to.
    ["bench", "/digest .*match/i"],
  ])("in %s, %s", async (room, expression) => {
    expect(await lint(room, expression)).not.toContain("linear-patterns");
  });
});

const megabyte = 900_000;

function say(body: string): string {
  return createAnswerError({ status: 400, headers: {}, body: Buffer.from(body) }).message;
}

describe("text of a megabyte comes to an end", () => {
  it("that a registry says", () => {
    const errors = [{ code: "UNKNOWN", message: "digest ".repeat(megabyte / 7) }];
    expect(say(JSON.stringify({ errors })).length).toBeLessThan(2000);
    expect(say("[".repeat(megabyte))).toBe("the registry answers 400");
  });

  it("that a build writes as JSON", () => {
    const open = Buffer.from(`["${"a".repeat(megabyte)}`);
    expect(() => parseJson(createSource(open, "history.json"))).toThrow("a string is not closed");
    const escapes = Buffer.from(`["${"\\\\".repeat(megabyte / 2)}"]`);
    expect(parseJson(createSource(escapes, "history.json"))).toEqual(["\\".repeat(megabyte / 2)]);
  });

  it("that stands in an ignore file", () => {
    expect(parseIgnoreFile(`${"/".repeat(megabyte)}x`)).toEqual(["x"]);
    expect(createIgnoreMatcher(["[^a]".repeat(100)])("b".repeat(100))).toBe(true);
    expect(() => createIgnoreMatcher([`${"[^a]".repeat(megabyte / 4)}[`])).toThrow("not valid");
    expect(() => createIgnoreMatcher([`${"\\[".repeat(megabyte / 2)}[`])).toThrow("not valid");
  });
});
