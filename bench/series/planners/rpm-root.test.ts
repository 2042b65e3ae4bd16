import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { changesOn, unitOf } from "../sample.ts";
import { makeRpmRoot } from "./rpm-root.ts";

const hasRpm = spawnSync("rpmbuild", ["--version"]).status === 0;

describe.skipIf(!hasRpm)("a root of RPMs", () => {
  const directory = mkdtempSync(join(tmpdir(), "xbuild-rpms-"));
  afterAll(() => rmSync(directory, { recursive: true }));

  test("has files of these sizes, and a database with sources, times and changelogs", () => {
    const root = join(directory, "root");
    const units = [unitOf("libx2", { size: 3000 }), unitOf("x", { size: 10 })];
    const changes = changesOn("2025-01-02", "2026-03-04");
    const source = { name: "rpm/x", units, size: 3010, changes, built: 1_772_668_800 };
    makeRpmRoot(root, join(directory, "packages"), { sources: [source], unowned: 1_200_000 });
    const sizes = readdirSync(root)
      .filter((name) => name !== "var")
      .map((name) => [name, statSync(join(root, name)).size]);
    expect(sizes).toEqual([
      ["u-libx2", 3000],
      ["u-x", 10],
      ["unowned-0", 1_000_000],
      ["unowned-1000000", 200_000],
    ]);
    const format = "%{NAME} %{SOURCERPM} %{BUILDTIME} [%{CHANGELOGTIME} ][%{FILENAMES}]\n";
    const query = ["--root", root, "--dbpath", "/var/lib/rpm", "-qa", "--queryformat", format];
    const times = `${Date.parse("2026-03-04T12:00Z") / 1000} ${Date.parse("2025-01-02T12:00Z") / 1000}`;
    expect(execFileSync("rpm", query, { encoding: "utf8" }).trim().split("\n").sort()).toEqual([
      `libx2 x-1-1772668800.src.rpm 1772668800 ${times} /u-libx2`,
      `x x-1-1772668800.src.rpm 1772668800 ${times} /u-x`,
    ]);
  });
});
