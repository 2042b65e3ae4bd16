import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Change, nameUnit, type Past, type Plan, type Planner, type Unit } from "../model.ts";
import { endOf } from "./components.ts";

/** The parts of the helper that plan, and what reads a table instead of a root. */
const parts = [
  "previous",
  "rates",
  "planfile",
  "share",
  "atoms",
  "join",
  "improve",
  "stack",
  "order",
  "escape",
].map((part) => `helper/split/${part}.awk`);
const program = [...parts, "bench/series/planners/table.awk"];

/**
 * The planner of `layer split`: the text that builds run, over a table. It knows of the past what a build would find:
 * the changelogs as they were on that day, and the names of the layers of the images before (`--history`).
 */
export const ours: Planner = createOurs("xbuild", true);

/** The same for whom there is no history: the changelogs, and the names in the image before. */
export const oursAlone: Planner = createOurs("xbuild, no history", false);

function createOurs(name: string, hasHistory: boolean): Planner {
  const about = `layer split of this project${hasHistory ? ", with --history" : ""}`;
  return {
    name,
    about,
    plan: (past, most) => runPlanner(past, most, hasHistory ? past.plans : []),
  };
}

function runPlanner(past: Past, most: number, known: readonly Plan[]): Plan {
  const release = past.releases.at(-1);
  const previous = past.plans.at(-1);
  if (release === undefined) return [];
  const { units } = release;
  const names = previous === undefined ? [] : nameLayers(past, past.plans.length - 1);
  const history = known.flatMap((_, at) => [
    `release\t${endOf(past.releases[at] ?? release)}\t-\t-`,
    ...nameLayers(past, at).map((layer) => `layer\t-\t${layer}`),
  ]);
  const told = runProgram(most, {
    names,
    changes: listChanges(units, endOf(release)),
    history,
    units: units.map((unit) => describeUnit(unit).join("\t")),
  });
  const keys = units.map(nameUnit);
  return told.map((line) =>
    line
      .trim()
      .split(" ")
      .flatMap((at) => keys[Number(at) - 1] ?? []),
  );
}

/** What the image of an earlier release called its layers, from the lowest. */
function nameLayers({ releases, plans }: Past, at: number): readonly string[] {
  const names = new Map(releases[at]?.units.map((unit) => [nameUnit(unit), nameVersion(unit)]));
  return (plans[at] ?? []).map((layer) => layer.map((key) => names.get(key)).join(" "));
}

function nameVersion({ kind, key, version }: Unit): string {
  const name = key.replaceAll(" ", "%20");
  return kind === "database" || kind === "other" ? name : `${name}-${version}`;
}

function describeUnit(unit: Unit): readonly (string | number)[] {
  return [unit.kind, unit.key, nameVersion(unit), unit.source, rankUnit(unit), unit.size];
}

/** Where the helper puts it before it knows more: kinds found among the files behind those that are listed. */
function rankUnit({ kind, basic, key }: Unit): number {
  if (key === "python-cache") return 70;
  if (kind === "database") return 80;
  if (kind === "other") return 90;
  return kind === "dpkg" ? basic * 10 : 41;
}

const before: ReadonlySet<string> = new Set([
  "unstable",
  "experimental",
  "testing",
  "sid",
  "frozen",
  "UNRELEASED",
]);

/** As `layer split` reads them from the changelogs of the root, on the day of the release: only dpkg has some there. */
function listChanges(units: readonly Unit[], end: number): readonly string[] {
  const lines = new Set<string>();
  for (const { kind, source, changes } of units) {
    if (kind !== "dpkg") continue;
    for (const change of changes) {
      if (change.time <= end) lines.add(`${kind}\t${source}\t${describeChange(change)}`);
    }
  }
  return [...lines];
}

function describeChange({ time, distribution, advisories }: Change): string {
  const isBase = distribution.split(" ").every((suite) => before.has(suite));
  return `${time}\t${isBase ? "base" : "update"}\t${advisories}`;
}

/** A line for each layer. */
function runProgram(most: number, inputs: Readonly<Record<string, readonly string[]>>): string[] {
  const directory = mkdtempSync(join(tmpdir(), "xbuild-series-"));
  try {
    const files = Object.entries(inputs).flatMap(([mode, lines]) => {
      const file = join(directory, mode);
      writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
      return [`mode=${mode}`, file];
    });
    const args = program.flatMap((part) => ["-f", resolve(part)]);
    const env = { ...process.env, LC_ALL: "C", layer_room: String(most) };
    const told = execFileSync("awk", [...args, ...files], { encoding: "utf8", env });
    return told.split("\n").filter((line) => line !== "");
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
