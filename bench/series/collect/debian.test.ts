import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { parseStanzas, type Stanza } from "./apt.ts";
import type { Entry } from "./changelog.ts";
import { readSource, withChangelogs, type Built, type Distribution } from "./debian.ts";
import { readPackage } from "./deb.ts";
import { findNeeds } from "./needs.ts";
import { listHistory, listReleases, makeNewest } from "./releases.ts";

test("reads paragraphs of the registry", () => {
  const text = `Package: a
Version: 1:2-1
Description: short
 long
 .
 longer
Depends: b (>= 1), c | d

Package: b
Version: 3
`;
  const [a, b, ...more] = parseStanzas(text);
  expect(more).toEqual([]);
  expect(a?.get("Version")).toBe("1:2-1");
  expect(a?.get("Description")).toBe("short\n long\n .\n longer");
  expect(a?.get("Depends")).toBe("b (>= 1), c | d");
  expect(b?.get("Package")).toBe("b");
});

function read(text: string): readonly string[] {
  return parseStanzas(text).map(readSource)[0] ?? [];
}

test("the source is the package where nothing else is told, and so is its version", () => {
  expect(read("Package: a\nVersion: 1+b1\nSource: s (1)\n")).toEqual(["s", "1"]);
  expect(read("Package: a\nVersion: 1\nSource: s\n")).toEqual(["s", "1"]);
  expect(read("Package: a\nVersion: 1\n")).toEqual(["a", "1"]);
});

test("finds dependencies: the first alternative that is there, and what provides a name", () => {
  const stanzas = parseStanzas(`Package: a
Pre-Depends: libc6:any (>= 2)
Depends: gone | mail-agent, b, b (<< 9), a, nowhere

Package: libc6

Package: b

Package: exim
Provides: mail-agent (= 1), other
`);
  const needs = findNeeds(stanzas);
  expect(stanzas.map(needs)).toEqual([["b", "exim", "libc6"], [], [], []]);
});

function writeEntry(version: string): string {
  return `a (${version}) sid; urgency=low\n\n  * x\n\n -- A <a@b.c>  Thu, 05 Oct 2023 00:00:00 +0000\n`;
}

test("reads a package: sizes, changelog with its rebuilds, the link of its documentation", async () => {
  const directory = mkdtempSync(join(tmpdir(), "xbuild-deb-"));
  try {
    const documentation = join(directory, "a/usr/share/doc/a");
    mkdirSync(documentation, { recursive: true });
    writeFileSync(join(documentation, "changelog.Debian.gz"), gzipSync(writeEntry("1-1")));
    writeFileSync(join(documentation, "changelog.Debian.amd64.gz"), gzipSync(writeEntry("1-1+b1")));
    writeFileSync(join(documentation, "changelog.gz"), gzipSync(writeEntry("upstream")));
    writeFileSync(join(directory, "a/usr/data"), "x".repeat(100_000));
    const a = await readPackage(build(directory, "a"), "a");
    expect(a.entries.map(({ version }) => version)).toEqual(["1-1+b1", "1-1"]);
    expect(a.link).toBeUndefined();
    expect(a.size).toBeGreaterThan(100_000);
    expect(a.size).toBeLessThan(102_000);
    expect(a.packed).toBeLessThan(3000);

    mkdirSync(join(directory, "b/usr/share/doc"), { recursive: true });
    symlinkSync("a", join(directory, "b/usr/share/doc/b"));
    const b = await readPackage(build(directory, "b"), "b");
    expect([b.link, b.entries]).toEqual(["a", []]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("a file that is no package is told", async () => {
  await expect(readPackage("/nowhere.deb", "a")).rejects.toThrow(
    /dpkg-deb --fsys-tarfile \/nowhere/,
  );
});

function build(directory: string, name: string): string {
  mkdirSync(join(directory, name, "DEBIAN"));
  const control = `Package: ${name}\nVersion: 1\nArchitecture: all\nMaintainer: A <a@b.c>\nDescription: x\n`;
  writeFileSync(join(directory, name, "DEBIAN/control"), control);
  const file = join(directory, `${name}.deb`);
  execFileSync("dpkg-deb", ["--build", join(directory, name), file]);
  return file;
}

const empty = { size: 0, packed: 0 };

function entry(version: string, day: string, distribution = "bookworm-security"): Entry {
  return { version, time: Date.parse(day) / 1000 + 3600, distribution, advisories: 0 };
}

/** Each entry of a package whose version is in `served` can be had. */
function distribution(
  packages: Readonly<Record<string, { entries: readonly Entry[]; served: readonly string[] }>>,
): Distribution {
  const all = Object.entries(packages).map(([name, { entries, served }]) => {
    const builds = served.map((version, at): Built => {
      const stanza: Stanza = new Map([["Package", name]]);
      const own = entries.slice(entries.findIndex((one) => one.version === version));
      return { name, version, stanza, size: 10 + at, packed: 5 + at, entries: own };
    });
    return [name, builds] as const;
  });
  const system = { database: { size: 7, packed: 3 }, cache: empty, compiled: [], other: empty };
  return { codename: "bookworm", packages: new Map(all), system };
}

const two = distribution({
  a: {
    entries: [
      entry("4", "2026-03-05"),
      entry("3", "2026-03-03"),
      entry("2x", "2026-02-01", "unstable"),
      entry("2", "2025-12-30", "bookworm"),
      entry("1", "2025-11-01", "unstable"),
    ],
    served: ["2", "4"],
  },
  b: { entries: [entry("8", "2026-03-01"), entry("7", "2026-01-09")], served: ["7", "8"] },
  c: { entries: [entry("1", "2020-01-01", "unstable")], served: ["1"] },
});

const versions = (releases: ReturnType<typeof listReleases>): readonly string[] =>
  releases.map(({ date, units }) => [date, ...units.map(({ version }) => version)].join(" "));

test("a release for each day of a version that can be had, before them the oldest of all", () => {
  expect(versions(listReleases(two))).toEqual([
    "2026-01-09 2 7 1 2026-01-09",
    "2026-03-01 2 8 1 2026-03-01",
    "2026-03-05 4 8 1 2026-03-05",
  ]);
});

test("the first release is before all others, though something in it is newer", () => {
  const late = entry("1", "2026-05-01");
  const all = distribution({
    a: { entries: [entry("2", "2026-03-05"), entry("1", "2026-03-01")], served: ["1", "2"] },
    b: { entries: [late], served: ["1"] },
  });
  expect(listReleases(all).map(({ date }) => date)).toEqual(["2026-03-04", "2026-03-05"]);
});

test("a history has what only changelogs tell of, with the size of what came next, by week", () => {
  const history = listHistory(two, "2026-01-01");
  // 2026-03-01 is a Sunday; what went to unstable alone nobody had; 3 was gone in the week in which it came.
  expect(versions(history)).toEqual([
    "2026-01-01 2 7 1 2026-01-01",
    "2026-01-09 2 7 1 2026-01-09",
    "2026-03-01 2 8 1 2026-03-01",
    "2026-03-05 4 8 1 2026-03-05",
  ]);
  const [first] = listHistory(two, "2025-12-01");
  const a = first?.units.find(({ key }) => key === "a");
  expect([a?.version, a?.size, a?.changes.length]).toEqual(["1", 10, 1]);
});

function built(name: string, version: string, more: Partial<Built> = {}): Built {
  const stanza: Stanza = new Map([
    ["Package", name],
    ["Source", "s"],
    ["Version", version],
  ]);
  return { name, version, stanza, size: 1, packed: 1, entries: [], ...more };
}

test("a package without a changelog has that of its source, of its own version; its link's before others", () => {
  const all = withChangelogs([
    built("a", "1", { entries: [entry("old", "2026-01-01")] }),
    built("a", "2", { entries: [entry("a", "2026-02-01")] }),
    built("b", "2", { entries: [entry("b", "2026-02-01")] }),
    built("c", "2", { link: "b" }),
    built("d", "2", { link: "gone" }),
    built("e", "3", { link: "a" }),
  ]);
  const heads = all.map(({ entries }) => entries[0]?.version);
  expect(heads).toEqual(["old", "a", "b", "b", "a", undefined]);
});

test("what Python compiled is new when a package is whose files these are", () => {
  const system = { ...two.system, cache: { size: 9, packed: 4 }, compiled: ["b"] };
  const caches = listReleases({ ...two, system }).map(
    ({ units }) => units.find(({ key }) => key === "python-cache")?.version,
  );
  expect(caches[1]).not.toBe(caches[0]);
  expect(caches[2]).toBe(caches[1]);
});

test("the newest of all has the day of its last change, or a later one", () => {
  expect(versions([makeNewest(two)])).toEqual(["2026-03-05 4 8 1 2026-03-05"]);
  expect(makeNewest(two, "2026-07-01").date).toBe("2026-07-01");
  expect(makeNewest(two, "2026-01-01").date).toBe("2026-03-05");
});
