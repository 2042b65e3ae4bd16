import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Change, Series, Unit } from "./model.ts";
import { packSeries, readSeries, unpackSeries, writeSeries } from "./store.ts";

const old: Change = { time: 100, distribution: "unstable", advisories: 0 };
const fix: Change = { time: 200, distribution: "bookworm-security", advisories: 2 };
const later: Change = { time: 300, distribution: "bookworm", advisories: 0 };

function unit(key: string, version: string, changes: readonly Change[]): Unit {
  const rest = { source: "s", basic: 2, size: 10, packed: 5, needs: ["a"], popularity: 0 } as const;
  return { kind: "dpkg", key, version, ...rest, changes };
}

const series: Series = {
  name: "some",
  title: "Some",
  about: "Of no registry.",
  releases: [
    { date: "2026-01-01", units: [unit("a", "1", [old]), unit("b", "1", [old])] },
    { date: "2026-01-02", units: [unit("a", "2", [fix, old]), unit("b", "1", [old])] },
    { date: "2026-01-03", units: [unit("a", "2", [fix, old]), unit("c", "1", [])] },
    { date: "2026-01-04", units: [unit("a", "3", [later, fix, old]), unit("b", "1", [old])] },
  ],
};

test("a series comes back from its file as it was", async () => {
  const directory = await mkdtemp(join(tmpdir(), "xbuild-store-"));
  try {
    const file = join(directory, "deep/some.json");
    await writeSeries(file, series);
    expect(await readSeries(file)).toEqual(series);
    // A unit and an entry a line.
    const lines = (await readFile(file, "utf8")).split("\n");
    expect(lines.filter((line) => line.startsWith('{"kind"'))).toHaveLength(6);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("what is as before is not stored again, and a changelog once", () => {
  const stored = packSeries(series);
  expect(stored.releases.map(({ units }) => units.map(({ key }) => key))).toEqual([
    ["a", "b"],
    ["a"],
    ["c"],
    ["a", "b"],
  ]);
  expect(stored.releases.map(({ gone }) => gone)).toEqual([
    undefined,
    undefined,
    ["dpkg b"],
    ["dpkg c"],
  ]);
  expect(stored.entries).toEqual([
    [100, 0, 0],
    [200, 1, 2],
    [300, 2, 0],
  ]);
});

test("changelogs that part share what is old", () => {
  const releases = [
    { date: "d", units: [unit("a", "1", [fix, old]), unit("b", "1", [later, old])] },
  ];
  const stored = packSeries({ ...series, releases });
  expect(stored.entries).toEqual([
    [100, 0, 0],
    [200, 1, 2],
    [300, 2, 0, 0],
  ]);
  expect(unpackSeries(stored).releases).toEqual(releases);
});

test("a change of anything but the version is stored, too", () => {
  const [before, after] = [unit("a", "1", []), { ...unit("a", "1", []), needs: [] }];
  const releases = [
    { date: "d", units: [before] },
    { date: "e", units: [after] },
  ];
  expect(unpackSeries(packSeries({ ...series, releases })).releases).toEqual(releases);
});

test("units are put in the order of their names", () => {
  const releases = [
    { date: "d", units: [unit("b", "1", []), unit("B", "1", []), unit("a", "1", [])] },
  ];
  const [release] = unpackSeries(packSeries({ ...series, releases })).releases;
  expect(release?.units.map(({ key }) => key)).toEqual(["B", "a", "b"]);
});

test("a series that is not there is told with how to collect it", async () => {
  await expect(readSeries("/nowhere/some.json")).rejects.toThrow(
    "cannot read the series /nowhere/some.json: collect it by scripts/series.sh",
  );
});
