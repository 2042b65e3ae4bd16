import { existsSync, readdirSync, readFileSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { faceOf, rooms } from "../../scripts/rooms.mjs";

// Who may import whom is written down in scripts/rooms.mjs, and the linter holds the sources to it: here it is the
// real linter that must refuse what breaks a wall.

let root: string;

/** A checkout with the linter's real configuration and nothing else. */
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "xbuild-rooms-"));
  await copyFile(".oxlintrc.json", join(root, ".oxlintrc.json"));
  for (const name of ["node_modules", "scripts"]) {
    await symlink(join(process.cwd(), name), join(root, name));
  }
});

afterAll(() => rm(root, { recursive: true, force: true }));

/** What the linter says of a file with this text. */
async function lint(file: string, text: string): Promise<string> {
  await mkdir(join(root, dirname(file)), { recursive: true });
  await writeFile(join(root, file), `${text}\n`);
  const { stdout } = await execa("node_modules/.bin/oxlint", [file], { cwd: root, reject: false });
  await rm(join(root, file));
  return stdout;
}

const take = (specifier: string): string =>
  `import { probe } from "${specifier}";\nexport const used = probe;`;

describe("a wall holds", () => {
  it.each([
    ["src/plan/probe.ts", take("node:fs"), "plan is pure"],
    ["src/oci/probe.ts", 'export const probe = import("node:fs/promises");', "oci is pure"],
    ["grammar/probe.ts", take("node:child_process"), "grammar starts no programs"],
    ["src/containerfile/probe.ts", take("../store/store.ts"), "may not know store"],
    ["src/visible.ts", take("./system/lock.ts"), "may not know system"],
    [
      "src/plan/probe.ts",
      'import type { Probe } from "../context/context.ts";\nexport type Used = Probe;',
      "may not know context",
    ],
    ["src/store/probe.ts", take("../pipeline/pipeline.ts"), "may not know pipeline"],
    ["src/delivery/deep/probe.ts", take("../../pipeline/pipeline.ts"), "may not know pipeline"],
    [
      "src/engine/probe.ts",
      'export type Probe = typeof import("../pipeline/pipeline.ts");',
      "may not know pipeline",
    ],
    ["src/layers/probe.ts", 'export * from "../cli/io.ts";', "may not know cli"],
    ["src/pipeline/probe.ts", take("../index.ts"), "may not know src"],
    ["src/pipeline/probe.ts", take("../store/images/images.ts"), "import src/store/store.ts"],
    [
      "src/cli/commands/probe.ts",
      'export { probe } from "../../plan/model.ts";',
      "import src/plan/plan.ts",
    ],
    ["src/rebase/probe.ts", take("../../test/support/store.ts"), "is no source of the product"],
    ["src/cli/probe.ts", take("node:child_process"), "cli starts no programs"],
    ["src/copy/probe.ts", take("undici"), "only registry uses undici"],
    ["src/attic/probe.ts", "export const probe = 1;\nimport('node:fs');", "no room attic"],
    ["src/oci/oci.ts", "export const probe = 1;", "re-exports alone"],
  ])("around %s: %s", async (file, text, message) => {
    const said = await lint(file, text);
    expect(said).toContain("xbuild(rooms)");
    expect(said.replaceAll(/\s+/g, " ")).toContain(message);
  });
});

describe("a door is open", () => {
  it.each([
    ["src/pipeline/probe.ts", take("../store/store.ts")],
    ["src/store/deep/probe.ts", take("../images/images.ts")],
    ["src/store/probe.ts", take("../system/lock.ts")],
    ["src/oci/probe.ts", take("../errors.ts")],
    ["src/oci/probe.ts", take("node:crypto")],
    ["src/plan/probe.test.ts", take("../store/images/images.ts")],
    ["src/index.ts", 'export { probe } from "./cli/io.ts";'],
  ])("of %s: %s", async (file, text) => {
    expect(await lint(file, text)).not.toContain("xbuild(rooms)");
  });
});

/** Files of which the page says that a change to come would make them. */
const plannedFiles: ReadonlySet<string> = new Set(["pipeline/build-platforms.ts"]);

describe("the rooms as they are written down", () => {
  const names = Object.keys(rooms).filter((name) => name !== "src");

  it("are those that there are", () => {
    const directories = readdirSync("src", { withFileTypes: true }).filter((one) =>
      one.isDirectory(),
    );
    expect([...directories.map(({ name }) => name), "grammar"].toSorted()).toEqual(
      names.toSorted(),
    );
  });

  // Nobody imports what is run by itself.
  const programs = new Set(["cli", "frontend"]);

  it.each(names.filter((name) => !programs.has(name) && rooms[name]?.isToolbox !== true))(
    "%s has a face",
    (name) => expect(existsSync(faceOf(name))).toBe(true),
  );

  it.each(names)("%s knows only rooms that it may stand on", (name) => {
    const floor = rooms[name]?.floor ?? 0;
    for (const other of rooms[name]?.imports ?? []) {
      expect(rooms[other]?.floor).toBeLessThanOrEqual(floor);
      // Two rooms of a floor: one of them at most knows the other.
      expect(rooms[other]?.imports).not.toContain(name);
    }
  });

  it.each(names)("%s is on the page with its floor", (name) => {
    const page = readFileSync("ARCHITECTURE.md", "utf8");
    expect(page).toMatch(
      new RegExp(`^ *(?:src/)?${name}/ +floor ${String(rooms[name]?.floor)}\\b`, "m"),
    );
  });

  it("and every file that the page names is there", () => {
    const page = readFileSync("ARCHITECTURE.md", "utf8");
    const named = [...page.matchAll(/`([\w./-]+\.(?:ts|mjs|md))`/g)].map((match) => match[1] ?? "");
    expect(named.length).toBeGreaterThan(40);
    const places = ["", "src/"];
    const missing = named.filter((name) => !places.some((place) => existsSync(place + name)));
    expect(missing.filter((name) => !plannedFiles.has(name))).toEqual([]);
  });
});
