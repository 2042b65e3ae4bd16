import { nameUnit, type Release, type Unit } from "../model.ts";
import { endOf, day } from "./components.ts";

const known = new WeakMap<Release, ReadonlyMap<string, number>>();

/**
 * Since when a unit has its version, in seconds since 1970: the day of the oldest of the latest releases that have it
 * unbroken. Remembers what it found for a release, for the releases before it never change.
 */
export function findFirstDates(releases: readonly Release[]): (unit: Unit) => number {
  let before: ReadonlyMap<string, number> = new Map();
  for (const release of releases) {
    const found = known.get(release) ?? datesOf(release, before);
    known.set(release, found);
    before = found;
  }
  return (unit) => before.get(nameVersion(unit)) ?? 0;
}

function datesOf(
  release: Release,
  before: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const start = endOf(release) - day;
  return new Map(
    release.units.map((unit) => {
      const name = nameVersion(unit);
      return [name, before.get(name) ?? start];
    }),
  );
}

function nameVersion(unit: Unit): string {
  return `${nameUnit(unit)} ${unit.version}`;
}
