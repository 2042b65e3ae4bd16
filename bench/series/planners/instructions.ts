import { nameUnit, type Planner, type Unit } from "../model.ts";

/** Parts of a Containerfile, the lowest first. */
const parts = ["base", "install", "dependencies", "application"] as const;

type Part = (typeof parts)[number];

/**
 * What people write without a tool: a base image, an instruction that installs the distribution's packages, one that
 * installs the language's dependencies, one that copies the application. The base image of Debian has the essential and
 * the required packages, apt, and all that these need; the package database, and what else nobody owns, is
 * the installing instruction's.
 */
export const instructions: Planner = {
  name: "a layer an instruction",
  about: "base image, installed packages, the language's dependencies, the application's files",
  plan: ({ releases }) => {
    const units = releases.at(-1)?.units ?? [];
    const base = closeOver(units, (unit) => unit.basic === 1 || isApt(unit));
    return parts
      .map((part) => units.filter((unit) => partOf(unit, base) === part).map(nameUnit))
      .filter((names) => names.length > 0);
  },
};

function partOf(unit: Unit, base: ReadonlySet<Unit>): Part {
  if (unit.kind === "other" && unit.key === "app") return "application";
  // What the installation leaves besides.
  if (unit.kind === "other" || unit.kind === "database") return "install";
  if (unit.kind !== "dpkg") return "dependencies";
  return base.has(unit) ? "base" : "install";
}

function isApt({ kind, key }: Unit): boolean {
  return kind === "dpkg" && key === "apt";
}

/** The units that are chosen, and all that these need directly or not. */
function closeOver(units: readonly Unit[], isChosen: (unit: Unit) => boolean): ReadonlySet<Unit> {
  const packages = units.filter(({ kind }) => kind === "dpkg");
  const byKey = new Map(packages.map((unit) => [unit.key, unit]));
  const all = new Set(packages.filter(isChosen));
  // A set that grows while it is walked is walked to its new end.
  for (const { needs } of all) {
    for (const key of needs) {
      const needed = byKey.get(key);
      if (needed !== undefined) all.add(needed);
    }
  }
  return all;
}
