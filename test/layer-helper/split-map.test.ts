import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { helperParts } from "../support/joined-helper.ts";
import { awks, createLab, link, listShells, makeScratch, put, type Lab } from "./lab.ts";
import { compareTrees, flatten, readLayers, readTree } from "./oracle.ts";
import { makeMergedRoot, putDpkg } from "./roots.ts";

const names = (lab: Lab): readonly string[] => lab.entries().map((entry) => entry.created_by);

function makeRoot(): string {
  const root = makeMergedRoot();
  putDpkg(root, [{ name: "tool", list: ["/usr/bin/tool", "/usr/share/tool/model.bin"] }]);
  const paths = [
    "usr/bin/tool",
    "usr/share/tool/model.bin",
    "opt/app/main",
    "opt/app/data/a.json",
    "opt/app/data/deep/b.json",
    "opt/my models/one.bin",
    "opt/my models/two.bin",
    "srv/data",
    "srv/#note",
  ];
  for (const path of paths) put(root, path);
  link(root, "opt/app/link", "main");
  return root;
}

function writeMap(...lines: readonly string[]): string {
  const file = join(makeScratch(), "layers.map");
  writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
  return file;
}

describe.each(listShells())("a map under $name", (shell) => {
  it("assigns paths to layers, the last line that has a path", () => {
    const root = makeRoot();
    const map = writeMap(
      "# what is ours",
      "",
      "app\t/opt/app  # all of it",
      "models '/opt/my models' *.bin",
      'json /opt/app/**/*.json "srv/#note"\r',
      "app opt/app/data/a.json",
      "odd\\ name /srv/dat[a-z]",
    );
    const lab = createLab(shell);
    lab.ok(["split", "--map", map, "dpkg", root]);
    const layers = readLayers(lab, root);
    expect(layers["app"]).toEqual(["opt/app/data/a.json", "opt/app/link", "opt/app/main"]);
    expect(layers["json"]).toEqual(["opt/app/data/deep/b.json", "srv/#note"]);
    expect(layers["models"]).toEqual([
      "opt/my models/one.bin",
      "opt/my models/two.bin",
      "usr/share/tool/model.bin",
    ]);
    expect(layers["odd%20name"]).toEqual(["srv/data"]);
    const specials = ["dpkg-database", "other"];
    const mapped = ["app", "json", "models", "odd%20name"];
    expect(names(lab).toSorted()).toEqual([...mapped, ...specials, "tool-1.0"].toSorted());
    expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
  });

  it("is found from the working directory, and keeps layers as they were", () => {
    const root = makeRoot();
    const map = writeMap("app /opt/app");
    const lab = createLab(shell);
    const cwd = join(map, "..");
    lab.ok(["split", "--map=layers.map", "dpkg", root], { cwd });
    lab.next();
    lab.ok(["split", "--map=layers.map", "dpkg", root], { cwd });
    expect(lab.entries().every((entry) => entry.digest !== undefined)).toBe(true);
  });

  it("tells of a glob that nothing is like", () => {
    const root = makeRoot();
    const map = writeMap("app /opt/app /opt/none", "app /opt/**", "x *.nothing");
    const lab = createLab(shell);
    const result = lab.run(["split", "--map", map, "dpkg", root]);
    expect(result).toMatchObject({ status: 0, stdout: "" });
    expect(result.stderr).toBe(
      `layer: warning: ${map}, line 1: /opt/none matches nothing\n` +
        `layer: warning: ${map}, line 3: *.nothing matches nothing\n`,
    );
  });

  it.each([
    ["app", /, line 2: there is no glob behind the name app$/],
    ["app 'x y", /, line 2: a quote has no end$/],
    ["other x", /, line 2: other is what nobody takes, choose another name$/],
    ["app !x", /, line 2: !x: a glob takes no !, put/],
    ["app [x", /, line 2: \[x: a \[ has no \]$/],
    ["app [[:alpha:]]", /, line 2: .*: a glob takes no \[\[:class:\]\]$/],
    ["app [z-a]", /, line 2: .*: a range is one of letters/],
    ["app ../x", /, line 2: .*: a glob takes no \. or \.\.$/],
  ])("%s is refused, with its place", (line, message) => {
    const lab = createLab(shell);
    const map = writeMap("fine /opt", line);
    const result = lab.run(["split", "--map", map, "dpkg", makeRoot()]);
    expect(result.status).toBe(1);
    expect(result.stderr.trimEnd()).toMatch(message);
    expect(result.stderr).toContain(`layer: ${map}, line`);
    expect(lab.entries()).toEqual([]);
  });

  it("that is not there is refused", () => {
    const lab = createLab(shell);
    const result = lab.run(["split", "--map", "/no/map", "dpkg", makeRoot()]);
    expect(result).toMatchObject({ status: 1, stderr: "layer: cannot read the map '/no/map'\n" });
  });
});

/** Globs, and which of the paths they are of. */
const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["*.txt", ["a.txt", "d/b.txt", ".txt"], ["a.txtx", "d.txt2/x"]],
  ["/*.txt", ["a.txt"], ["d/b.txt"]],
  ["d/*.txt", ["d/b.txt"], ["d/e/b.txt", "x/d/b.txt"]],
  ["d/**/b", ["d/b", "d/e/b", "d/e/f/b"], ["d/bb", "x/d/b"]],
  ["**/d/b", ["d/b", "x/d/b", "x/y/d/b"], ["d/x/b"]],
  ["d/**", ["d/b", "d/e/f"], ["d", "dd/b"]],
  ["a?c", ["abc", "x/a.c"], ["ac", "abbc"]],
  ["[a-c]x", ["ax", "cx"], ["dx", "x"]],
  ["[!a-c]x", ["dx", "^x"], ["ax"]],
  ["[]x]", ["]", "x"], ["y"]],
  ["[!]x]", ["y"], ["]", "x"]],
  ["[x^-]", ["x", "^", "-"], ["y"]],
  ["[\\^]", ["^"], ["x", "\\"]],
  ["[\\^-]", ["^", "-"], ["x", "\\"]],
  ["[a\\\\]", ["a", "\\"], ["b"]],
  ["[é]x", [], ["x"]],
  ["\\*", ["*"], ["x"]],
  ["a.b+c(d)$^{1}|", ["a.b+c(d)$^{1}|"], ["aXb+c(d)$^{1}|", "a.bb"]],
  ["a*b*c", ["abc", "aXbYc", "abcbc"], ["ab", "acb", "abcd"]],
  ["*a*a*a*a*a*a*a*b", [`${"a".repeat(200)}b`], ["a".repeat(200)]],
  ["x**y", ["xy", "xay"], ["x/y"]],
  ["**", ["a", "a/b"], []],
  ["a/**/b/**/c", ["a/b/c", "a/x/b/y/z/c", "a/b/b/c"], ["a/c", "b/c"]],
];

// One run of awk for all: what a glob is compiled to differs in no awk.
describe.each(awks.map((awk) => [awk.join(" "), awk] as const))("globs under %s", (_, awk) => {
  const program = join(makeScratch(), "globs.awk");
  writeFileSync(
    program,
    `BEGIN { FS = "\\t" }
    { wrong = make_glob(NR, $1); n = split($2, part, "/"); print wrong matches_glob(NR, part, n) }
    function join(directory, name) { return directory == "" ? name : directory "/" name }`,
  );

  it("are of the paths that ignore files take", () => {
    const rows = cases.flatMap(([glob, those, others]) => {
      const taken = those.map((path) => [glob, path, "1"]);
      return taken.concat(others.map((path) => [glob, path, "0"]));
    });
    const [command = "", ...args] = awk;
    const glob = join(helperParts, "split/glob.awk");
    const result = spawnSync(command, [...args, "-f", glob, "-f", program], {
      input: rows.map(([text, path]) => `${text}\t${path}\n`).join(""),
      encoding: "utf8",
      env: { ...process.env, LC_ALL: "C" },
    });
    expect(result.stderr).toBe("");
    const found = result.stdout.trimEnd().split("\n");
    expect(rows.map(([text, path], at) => [text, path, found[at]])).toEqual(rows);
  });
});
