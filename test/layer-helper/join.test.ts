import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { joinHelper } from "../../scripts/join-helper.mjs";
import { helperParts, joinedHelper } from "../support/joined-helper.ts";
import { createLab, listShells, makeScratch, put } from "./lab.ts";
import { compareTrees, flatten, readTree } from "./oracle.ts";

/** A copy of helper/ that a test may change. */
function copyParts(): string {
  const directory = join(makeScratch(), "helper");
  cpSync(helperParts, directory, { recursive: true });
  return directory;
}

/** Puts a line into a part, before the first that has this text. Gives its place. */
function insertLine(directory: string, part: string, before: string, line: string): string {
  const lines = readFileSync(join(directory, part), "utf8").split("\n");
  const at = lines.findIndex((text) => text.includes(before));
  expect(at).toBeGreaterThan(0);
  lines.splice(at, 0, line);
  writeFileSync(join(directory, part), lines.join("\n"));
  return `helper/${part}:${String(at + 1)}:`;
}

// A kind that lists its packages: its database has lines "= <name> <version>", then paths.
const brew = `# brew: a kind of this test's own.
# kind: listed 45

has_brew() {
    [ -f opt/brew/db/list ]
}

files_brew() {
    files='mode=brew ./opt/brew/db/list ./opt/brew/db/missing'
}

: <<'AWK'
# It doesn't matter that this comment has a quote.
mode == "brew" && $1 == "=" {
    unit = new_unit("brew", $2)
    versions[unit] = $3
    next
}
mode == "brew" {
    claim(unit, resolve($0))
    next
}

END { if ("brew" in wanted) keep_brew() }

function keep_brew(at) {
    for (at = 1; at <= count; at++) if (paths[at] ~ /^opt\\/brew\\/db(\\/|$)/) keep("brew", at)
}
AWK
`;

// A kind that is found: each directory *.crate is a package.
const cargo = `# cargo: a kind of this test's own.
# kind: found 55

has_cargo() {
    :
}

: <<'AWK'
END { if ("cargo" in wanted) claim_cargo() }

function claim_cargo(at, place) {
    for (at = 1; at <= count; at++) {
        if (!match(paths[at], /^srv\\/[^\\/]*\\.crate(\\/|$)/)) continue
        place = substr(paths[at], 5)
        sub(/\\.crate.*/, "", place)
        claim_free(language_unit("cargo", place), paths[at])
    }
}
AWK
`;

function makeRoot(): string {
  const root = makeScratch();
  put(
    root,
    "opt/brew/db/list",
    "= wget 1.21\nopt/brew/wget\n= jq 1.7\nopt/brew/jq\nsrv/a-1.crate/owned\n",
  );
  for (const path of ["opt/brew/wget", "opt/brew/jq", "opt/own"]) put(root, path);
  for (const path of ["owned", "src/lib.rs"]) put(root, `srv/a-1.crate/${path}`);
  put(root, "venv/six-1.16.dist-info/RECORD", "six-1.16.dist-info/RECORD,,\n");
  put(root, "srv/node_modules/ms/package.json", '{"version":"2.0.0"}');
  return root;
}

describe.each(listShells())("a new kind of packages under $name", (shell) => {
  const parts = copyParts();
  put(parts, "kinds/brew.sh", brew);
  put(parts, "kinds/cargo.sh", cargo);
  const helper = joinHelper(parts);

  it("is one more file", () => {
    expect(helper.kinds).toEqual("dpkg apk rpm pacman brew nix cargo pip npm".split(" "));
    const usage = createLab(shell, helper).run(["--help"]);
    expect(usage.stdout).toContain("of dpkg, apk, rpm, pacman, brew, nix, cargo, pip and npm with");
  });

  it("is split by name", () => {
    const root = makeRoot();
    const lab = createLab(shell, helper);
    lab.ok(["split", "brew", root]);
    const names = lab.entries().map((entry) => entry.created_by);
    expect(names).toEqual(["jq-1.7", "wget-1.21", "brew-database", "other"]);
    expect(lab.paths("brew-database")).toContain("opt/brew/db/list");
    expect(lab.paths("jq-1.7")).toContain("srv/a-1.crate/owned");
    expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
  });

  it("is found by auto, in its place", () => {
    const root = makeRoot();
    const lab = createLab(shell, helper);
    lab.ok(["split", "auto", root]);
    const names = lab.entries().map((entry) => entry.created_by);
    const packages = ["jq-1.7", "wget-1.21", "a-1", "six-1.16", "ms-2.0.0"];
    expect(names.slice(0, -2).toSorted()).toEqual(packages.toSorted());
    expect(names.slice(-2)).toEqual(["brew-database", "other"]);
    expect(lab.paths("a-1")).not.toContain("srv/a-1.crate/owned");
    expect(lab.paths("a-1")).toContain("srv/a-1.crate/src/lib.rs");
  });

  it("is refused where the root has none, or the helper does not know it", () => {
    expect(createLab(shell, helper).run(["split", "brew", makeScratch()]).stderr).toMatch(
      /^layer: found no brew packages in /,
    );
    const unknown = createLab(shell).run(["split", "brew", makeRoot()]);
    expect(unknown).toMatchObject({ status: 2, stderr: expect.stringMatching(/no 'brew'/) });
  });
});

describe("a kind's file", () => {
  it.each([
    ["Brew", brew, "helper/kinds/Brew.sh: the name of a kind has small letters and digits only"],
    [
      "brew",
      brew.replace("listed 45", "listed"),
      'helper/kinds/brew.sh: there is no line "# kind: ',
    ],
    [
      "brew",
      brew.replace("has_brew", "has_it"),
      "helper/kinds/brew.sh: there is no function has_brew",
    ],
    ["brew", `${brew}exit\n`, "helper/kinds/brew.sh: there is no awk section"],
    [
      "brew",
      brew.replace("listed 45", "listed 10"),
      "helper/kinds/brew.sh and helper/kinds/dpkg.sh have",
    ],
  ])("%s is not joined where it is wrong: %#", (name, text, message) => {
    const parts = copyParts();
    put(parts, `kinds/${name}.sh`, text);
    expect(() => joinHelper(parts)).toThrow(message);
  });

  it("may be missing", () => {
    const parts = copyParts();
    rmSync(join(parts, "kinds/nix.sh"));
    const others = joinedHelper.kinds.filter((kind) => kind !== "nix");
    expect(joinHelper(parts).kinds).toEqual(others);
  });
});

describe.each(listShells())("an error under $name names the part's line", (shell) => {
  it.each([
    ["main.sh", "command=${1-}", '    : "$no_such_variable"'],
    ["split/kinds.sh", "wanted=", '    : "$no_such_variable"'],
    ["kinds/pacman.sh", "[ -d var/lib", '    : "$no_such_variable"'],
    ["split/stat.awk", "first = substr(", "    oops = = 1"],
    ["kinds/npm.sh", "return 0", "    oops = = 1"],
    ["split/decide.awk", "if (!first) return", "    oops = = 1"],
  ])("%s", (part, before, line) => {
    const parts = copyParts();
    const place = insertLine(parts, part, before, line);
    const result = createLab(shell, joinHelper(parts)).run(["split", "auto", makeRoot()]);
    expect(result.status).not.toBe(0);
    expect(result.stderr).toContain(place);
  });
});
