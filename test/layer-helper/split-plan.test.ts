import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createLab, listShells, makeScratch, put, type Lab } from "./lab.ts";
import { compareTrees, flatten, readTree } from "./oracle.ts";
import { makeMergedRoot, putDpkg } from "./roots.ts";

interface Package {
  readonly name: string;
  readonly version?: string;
  /** Kilobytes. */
  readonly size?: number;
  /** Of its changelog: when and for which suite, newest first, as `2026-01-31 bookworm-security`. */
  readonly changes?: readonly string[];
}

/** Writes these packages into the root, in place of those that are there. */
function putPackages(root: string, packages: readonly Package[]) {
  for (const path of ["var/lib/dpkg", "usr/share"])
    rmSync(join(root, path), { recursive: true, force: true });
  for (const { name, version = "1.0", size = 100, changes = [] } of packages) {
    put(root, `usr/share/${name}`, version.padEnd(size * 1000, "."));
    if (changes.length === 0) continue;
    const entries = changes.map((change, index) =>
      renderChange(name, change, changes.length - index),
    );
    put(root, `usr/share/doc/${name}/changelog.Debian.gz`, gzipSync(entries.join("\n")));
  }
  putDpkg(
    root,
    packages.map(({ name, version = "1.0", changes = [] }) => ({
      name,
      version,
      list: [
        `/usr/share/${name}`,
        ...(changes.length === 0 ? [] : [`/usr/share/doc/${name}/changelog.Debian.gz`]),
      ],
    })),
  );
}

/** deb-changelog(5). */
function renderChange(name: string, change: string, number: number): string {
  const [day = "", suite = ""] = change.split(" ");
  const [, weekday, date, month, year] =
    /^(\w+), (\d+) (\w+) (\d+)/.exec(new Date(day).toUTCString()) ?? [];
  const signed = ` -- A B <a@b.c>  ${weekday}, ${date} ${month} ${year} 12:00:00 +0000`;
  return `${name} (1.0-${number}) ${suite}; urgency=medium\n\n  * Fix CVE-2026-1.\n\n${signed}\n`;
}

const names = (lab: Lab): readonly string[] => lab.entries().map((entry) => entry.created_by);
const specials = ["dpkg-database", "other"];

/** The same package with another version. */
function upgrade(packages: readonly Package[], name: string, version: string): readonly Package[] {
  return packages.map((one) => (one.name === name ? { ...one, version } : one));
}

describe.each(listShells())("a plan under $name", (shell) => {
  const packages = ["a", "b", "c", "d"].map((name) => ({ name }));

  it("is printed without a trace, and followed", () => {
    const root = makeMergedRoot();
    putPackages(root, packages);
    const lab = createLab(shell);
    const told = lab.run(["plan", "--max", "4", "dpkg", root]);
    expect(told).toMatchObject({ status: 0, stderr: "" });
    expect(told.stdout).toMatch(/^# \d+ bytes, \d\.\d{3} changes a month\ndpkg:/);
    expect(existsSync(join(lab.output, "history.jsonl"))).toBe(false);
    expect(existsSync(join(lab.output, "state"))).toBe(false);
    lab.ok(["split", "--max", "4", "dpkg", root]);
    expect(readFileSync(join(lab.output, "state/plan"), "utf8")).toBe(told.stdout);
    const file = join(makeScratch(), "plan");
    writeFileSync(file, told.stdout);
    const other = createLab(shell);
    other.ok(["split", "--plan", file, "dpkg", root]);
    expect(names(other)).toEqual(names(lab));
  });

  it("may be edited", () => {
    const root = makeMergedRoot();
    putPackages(root, packages);
    const directory = makeScratch();
    writeFileSync(join(directory, "plan"), "# mine\ndpkg:d a gone\n\n other:other  dpkg:c\n");
    const lab = createLab(shell);
    lab.ok(["split", "--plan=plan", "dpkg", root], { cwd: directory });
    expect(names(lab)).toEqual(
      ["a-1.0 d-1.0", "b-1.0", "dpkg-database", "c-1.0 other"].toSorted(special),
    );
    expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
  });

  it.each([
    [
      "# nothing\nfoo:a x\n",
      9,
      "the plan names no package of the root, has another one been meant?",
    ],
    ["a b\nb c\n", 4, "line 2 of the plan has 'b' again, leave it in one layer"],
    [
      "a\nb\nc\nd\n",
      5,
      "the plan has too many layers for the 5 that there may be, join some of its lines",
    ],
  ])("is refused where it cannot be followed: %j", (text, max, message) => {
    const root = makeMergedRoot();
    putPackages(root, packages);
    const file = join(makeScratch(), "plan");
    writeFileSync(file, text);
    const lab = createLab(shell);
    const result = lab.run(["split", "--plan", file, "--max", String(max), "dpkg", root]);
    expect(result).toEqual({ status: 1, stdout: "", stderr: `layer: ${message}\n` });
    expect(lab.entries()).toEqual([]);
    const missing = lab.run(["split", "--plan", `${file}.gone`, "dpkg", root]);
    expect(missing.stderr).toBe(`layer: cannot read the plan '${file}.gone'\n`);
  });

  it.each([5, 8, 20])("keeps to %i layers where --max-layer-bytes would have more", (max) => {
    const root = makeMergedRoot();
    putPackages(
      root,
      Array.from({ length: 40 }, (_, at) => ({ name: `p${at}`, size: 20 + ((at * 7) % 30) })),
    );
    const lab = createLab(shell);
    const words = ["--max", String(max), "--max-layer-bytes", "60k"];
    const result = lab.run(["split", ...words, "dpkg", root]);
    expect(result).toMatchObject({ status: 0, stdout: "" });
    expect(result.stderr).toMatch(/^layer: warning: some layers are larger/);
    expect(names(lab).length).toBeLessThanOrEqual(max);
    expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
  });

  it("has what changes often on top, by changelogs", () => {
    const root = makeMergedRoot();
    const release = "2025-06-10 unstable";
    putPackages(root, [
      { name: "hot", changes: ["2026-11-01 bookworm-security", "2026-09-01 bookworm", release] },
      { name: "cold", changes: [release] },
      { name: "warm", changes: ["2026-02-01 bookworm-security", release] },
      { name: "vast", size: 2000, changes: ["2026-02-01 bookworm-security", release] },
    ]);
    const lab = createLab(shell);
    lab.ok(["split", "dpkg", root]);
    expect(names(lab)).toEqual(["vast-1.0", "cold-1.0", "warm-1.0", "hot-1.0", ...specials]);
  });

  it("has what changes often on top, by versions and by the history", () => {
    const root = makeMergedRoot();
    putPackages(root, [
      { name: "counted", version: "1.0+deb12u9" },
      { name: "seen", version: "1.3" },
      { name: "still", version: "1.0" },
    ]);
    const lab = createLab(shell);
    const releases = [0, 1, 2, 3].map((at) => {
      const time = 1_700_000_000 + at * 2_600_000;
      return `release\t${time}\tsha256:${at}\treg/app:v${at}\nlayer\tsha256:a\tseen-1.${at} still-1.0\n`;
    });
    writeFileSync(join(lab.base, "bin/history"), releases.join(""));
    lab.ok(["split", "dpkg", root]);
    expect(names(lab)).toEqual(["still-1.0", "counted-1.0+deb12u9", "seen-1.3", ...specials]);
    const told = readFileSync(join(lab.output, "state/plan"), "utf8");
    expect(told).toMatch(/^# history: sha256:0\treg\/app:v0\n(?:# history: .*\n){3}# \d/);
  });

  it.each(["-", "0"])("takes releases without a time (%s) for weekly ones", (time) => {
    const root = makeMergedRoot();
    putPackages(root, [{ name: "seen", version: "1.3" }, { name: "still" }]);
    const lab = createLab(shell);
    const releases = [0, 1, 2, 3].map(
      (at) => `release\t${time}\tsha256:${at}\tx\nlayer\tsha256:a\tseen-1.${at} still-1.0\n`,
    );
    writeFileSync(join(lab.base, "bin/history"), releases.join(""));
    lab.ok(["split", "dpkg", root]);
    expect(names(lab)).toEqual(["still-1.0", "seen-1.3", ...specials]);
  });

  it("leaves a layer that has not changed, and plans anew what has", () => {
    const root = makeMergedRoot();
    const many = ["a", "b", "c", "d", "e", "f"].map((name) => ({ name }));
    putPackages(root, many);
    const lab = createLab(shell);
    lab.setNames(
      ["a-1.0 b-1.0 c-1.0", "d-1.0 e-1.0 f-1.0"].map((name) => ({
        name,
        digest: `sha256:${name}`,
      })),
    );
    lab.ok(["split", "--max", "7", "dpkg", root]);
    expect(names(lab)).toEqual(["a-1.0 b-1.0 c-1.0", "d-1.0 e-1.0 f-1.0", ...specials]);
    lab.next();
    putPackages(root, upgrade(many, "e", "2.0"));
    lab.ok(["split", "--max", "6", "dpkg", root]);
    const [first, ...changed] = names(lab);
    expect(first).toBe("a-1.0 b-1.0 c-1.0");
    expect(changed.slice(0, -2).join(" ").split(" ").toSorted()).toEqual([
      "d-1.0",
      "e-2.0",
      "f-1.0",
    ]);
    expect(changed.length).toBe(3 + 2);
  });

  it("keeps the places up to the first layer that has changed", () => {
    const root = makeMergedRoot();
    const sizes = [400, 300, 200, 100];
    const sized = ["a", "b", "c", "d"].map((name, at) => ({ name, size: sizes[at] ?? 0 }));
    putPackages(root, sized);
    const lab = createLab(shell);
    // Those below lie as an earlier image had them, though smaller ones change more rarely for each byte.
    lab.setNames(
      ["d-1.0", "c-1.0", "a-1.0", "b-1.0"].map((name) => ({ name, digest: `sha256:${name}` })),
    );
    lab.ok(["split", "dpkg", root]);
    expect(names(lab)).toEqual(["d-1.0", "c-1.0", "a-1.0", "b-1.0", ...specials]);
    lab.next();
    putPackages(root, upgrade(sized, "c", "2.0"));
    lab.ok(["split", "dpkg", root]);
    expect(names(lab)).toEqual(["d-1.0", "a-1.0", "b-1.0", "c-2.0", ...specials]);
  });
});

/** As the layers lie: packages, then the database, then what has `other` in it. */
function special(one: string, two: string): number {
  return Number(one.includes("other")) - Number(two.includes("other"));
}
