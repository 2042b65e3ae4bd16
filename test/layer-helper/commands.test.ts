import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { assert, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { createLab, listShells, makeScratch, put, toyboxShell } from "./lab.ts";
import type { Shell } from "./lab.ts";

const toybox = toyboxShell();
const shells: readonly Shell[] = toybox === undefined ? listShells() : [...listShells(), toybox];

const names = [
  "bash-5.2.15-2+b7",
  "a name / with spaces ",
  " leading",
  'quotes " and back\\slash \\n \\\\',
  "line\nbreak\tand tab",
  "naïve 包 🎉",
  "control \u0001\r\u007f",
  "-C",
  "$(touch x) `y` * ?",
];

describe.each(shells)("layer under $name", (shell) => {
  it.each(names)("keeps %j", (name) => {
    const lab = createLab(shell);
    lab.setNames([
      { name, digest: "sha256:old" },
      { name: "between", digest: "sha256:other" },
      { name, digest: "sha256:new" },
    ]);
    lab.ok(["has", name]);
    lab.ok(["keep", name]);
    expect(lab.entries()).toEqual([{ created_by: name, digest: "sha256:new" }]);
  });

  it.each(["has", "keep"])("%s says nothing of a name that is not there", (command) => {
    const lab = createLab(shell);
    lab.setNames([{ name: "ab", digest: "sha256:1" }]);
    for (const name of ["a", "abc", "*", "a?", ""]) {
      expect(lab.run([command, name])).toEqual({ status: 1, stdout: "", stderr: "" });
    }
    expect(existsSync(join(lab.output, "history.jsonl"))).toBe(false);
  });

  it("notes which name it did not find, until it keeps or adds one", () => {
    const lab = createLab(shell);
    lab.setNames([{ name: "ab", digest: "sha256:1" }]);
    const noted = (): string => readFileSync(join(lab.output, ".layer-unknown"), "utf8");
    lab.run(["has", "x"]);
    expect(existsSync(join(lab.output, ".layer-unknown"))).toBe(false);
    for (const name of ["y", "a\tb\nc"]) lab.run(["keep", name]);
    expect(noted()).toBe("a\\tb\\nc\n");
    lab.ok(["keep", "ab"]);
    expect(noted()).toBe("");
    writeFileSync(join(dirname(lab.output), "bin/.tell-unknown"), "");
    const told = "layer: keep a\\tb: no previous image has a layer of that name\n";
    expect(lab.run(["keep", "a\tb"])).toEqual({ status: 1, stdout: "", stderr: told });
  });

  it("lists each name once, where it was last", () => {
    const lab = createLab(shell);
    const listed = ["x", "a b", "x\\n", "y", "a b", "é", "x"];
    lab.setNames(listed.map((name, index) => ({ name, digest: `sha256:${index}` })));
    expect(lab.run(["list"])).toEqual({ status: 0, stdout: "x\\n\ny\na b\né\nx\n", stderr: "" });
  });

  it("adds paths of the working directory, of another, and from the root", () => {
    const lab = createLab(shell);
    const tree = makeScratch();
    put(tree, "app/-dash");
    put(tree, "app/a\\nb");
    put(tree, "app/sub/file", "x", 0o4755);
    symlinkSync("missing", join(tree, "app/link"));
    lab.ok(["add", "one", "app"], { cwd: tree });
    lab.ok(["add", "two", "-C", join(tree, "app"), "sub", "link"]);
    lab.ok(["add", "three", "--", "-dash"], { cwd: join(tree, "app") });
    lab.ok(["add", "four", join(tree, "app/link")]);
    const all = ["app", "app/-dash", "app/a\\nb", "app/link", "app/sub", "app/sub/file"];
    expect(lab.paths("one")).toEqual(all);
    expect(lab.paths("two")).toEqual(["link", "sub", "sub/file"]);
    expect(lab.paths("three")).toEqual(["-dash"]);
    expect(lab.paths("four")).toEqual([join(tree, "app/link").slice(1)]);
    expect(lab.entries().map((entry) => entry.created_by)).toEqual(["one", "two", "three", "four"]);
  });

  it("adds a tar stream, compressed or not", () => {
    const lab = createLab(shell);
    const tree = makeScratch();
    put(tree, "file");
    const tar = spawnSync("tar", ["-C", tree, "-cf", "-", "file"]).stdout;
    lab.ok(["add", "plain", "-"], { input: tar });
    lab.ok(["add", "gzip", "-"], { input: gzipSync(tar) });
    const [plain, gzip] = lab.entries();
    expect(readFileSync(join(lab.output, plain?.path ?? ""))).toEqual(tar);
    expect(gzip?.path).toMatch(/\.tar\.gz$/);
    expect(lab.paths("gzip")).toEqual(["file"]);
  });

  it.each(names)("adds under the name %j", (name) => {
    const lab = createLab(shell);
    const tree = makeScratch();
    put(tree, "file");
    lab.ok(["add", name, "file"], { cwd: tree });
    expect(lab.entries()[0]?.created_by).toBe(name);
  });

  it("leaves nothing of a layer that fails", () => {
    const lab = createLab(shell);
    const tree = makeScratch();
    put(tree, "file");
    const failures = [
      lab.run(["add", "x", "file", "missing"], { cwd: tree }),
      lab.run(["add", "x", "-C", join(tree, "missing"), "file"]),
      lab.run(["add", "x", "-"], { input: "" }),
    ];
    for (const result of failures) {
      expect(result.status).toBe(1);
      expect(result.stderr).toMatch(/^layer: [^\n]+$/m);
      expect(result.stdout).toBe("");
    }
    expect(readdirSync(join(lab.output, "layers"))).toEqual([]);
    expect(existsSync(join(lab.output, "history.jsonl"))).toBe(false);
  });

  it.each([
    [[]],
    [["frob"]],
    [["keep"]],
    [["keep", "a", "b"]],
    [["has"]],
    [["list", "a"]],
    [["add"]],
    [["add", "name"]],
    [["add", "", "."]],
    [["add", "name", "-C"]],
    [["add", "name", "-C", "/"]],
    [["add", "name", "-C", "/", "-"]],
    [["split"]],
    [["split", "dpkg"]],
    [["split", "frob", "/"]],
    [["split", "dpkg", "/", "/"]],
    [["split", "--max", "x", "dpkg", "/"]],
    [["split", "--max=0", "dpkg", "/"]],
    [["split", "--frob", "dpkg", "/"]],
  ])("refuses the arguments %j", (args) => {
    const result = createLab(shell).run(args);
    expect(result.status).toBe(2);
    expect(result.stderr).toMatch(/^layer: [^\n]+, [^\n]+\n$/);
    expect(result.stdout).toBe("");
  });

  it("says where it belongs when it is run elsewhere", () => {
    const lab = createLab(shell);
    const result = lab.run(["list"], { env: { XBUILD_LAYERS: makeScratch() } });
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/after OUTPUT/);
  });

  it("does not mix with a history.json of the build's own", () => {
    const lab = createLab(shell);
    lab.setNames([{ name: "a", digest: "sha256:1" }]);
    writeFileSync(join(lab.output, "history.json"), "[]");
    const result = lab.run(["keep", "a"]);
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/history\.json/);
  });

  it("takes a number that was used before for another file", () => {
    const lab = createLab(shell);
    const tree = makeScratch();
    put(tree, "file");
    // The shell's own number cannot be foretold, so a run of its own names takes all of them.
    const script = `mkdir -p "$1/output/layers"; echo first >"$1/output/layers/add-$$-0.tar"
      exec "$2" "$1/bin/layer" add x file`;
    const command = shell.command[0] ?? "";
    const result = spawnSync("/bin/dash", ["-c", script, "dash", lab.base, command], {
      cwd: tree,
      env: { PATH: shell.path },
      encoding: "utf8",
    });
    expect(result.stderr).toBe("");
    const [entry] = lab.entries();
    expect(entry?.path).toMatch(/^layers\/add-\d+-1\.tar$/);
    expect(lab.paths("x")).toEqual(["file"]);
  });

  it("adds side by side", async () => {
    const lab = createLab(shell);
    const tree = makeScratch();
    put(tree, "file", "x".repeat(100_000));
    const [command = "", ...rest] = shell.command;
    const runs = Array.from({ length: 20 }, (_, index) => {
      const args = [...rest, join(lab.base, "bin/layer"), "add", `layer ${index}`, "file"];
      return spawn(command, args, { cwd: tree, env: { PATH: shell.path } });
    });
    const statuses = await Promise.all(
      runs.map((run) => new Promise((done) => run.on("exit", done))),
    );
    expect(statuses).toEqual(runs.map(() => 0));
    const entries = lab.entries();
    expect(new Set(entries.map((entry) => entry.created_by)).size).toBe(20);
    expect(new Set(entries.map((entry) => entry.path)).size).toBe(20);
    expect(readdirSync(join(lab.output, "layers"))).toHaveLength(20);
  });
});

describe("names", () => {
  const [dash] = listShells();
  const name = string({ unit: "binary", minLength: 1, maxLength: 12 }).filter(
    (text) => !text.includes("\0"),
  );

  it("are found and written whatever they are", () => {
    if (dash === undefined) throw new Error("no dash");
    const lab = createLab(dash);
    assert(
      property(name, (text) => {
        lab.setNames([{ name: text, digest: "sha256:1" }]);
        lab.ok(["keep", text]);
        expect(lab.entries().at(-1)?.created_by).toBe(text);
      }),
      { numRuns: 60 },
    );
  });

  it("are listed as they are", () => {
    if (dash === undefined) throw new Error("no dash");
    const lab = createLab(dash);
    const line = name.filter((text) => !text.includes("\n"));
    assert(
      property(line, (text) => {
        lab.setNames([{ name: text, digest: "sha256:1" }]);
        expect(lab.run(["list"]).stdout).toBe(`${text}\n`);
      }),
      { numRuns: 60 },
    );
  });
});
