import { nameUnit, type Release, type Unit } from "../model.ts";

/** Units that change at the same steps, as long as the series lasts: they share a layer for nothing. */
export interface Pattern {
  readonly names: readonly string[];
  /** For each step (to the second release, to the third): 1 where the units change, come or go. */
  readonly changes: Uint8Array;
  /** For each step the bytes of those that are there behind it, compressed and not. */
  readonly packed: Float64Array;
  readonly sizes: Float64Array;
}

/** The patterns of a series, in the order of their first units. */
export function findPatterns(releases: readonly Release[]): readonly Pattern[] {
  const images = releases.map(({ units }) => new Map(units.map((unit) => [nameUnit(unit), unit])));
  const names = [...new Set(images.flatMap((image) => [...image.keys()]))];
  const groups = new Map<string, Unit[][]>();
  const members = new Map<string, string[]>();
  for (const name of names) {
    const units = images.map((image) => image.get(name));
    const key = units
      .slice(1)
      .map((unit, at) => (unit?.version === units[at]?.version ? "0" : "1"))
      .join("");
    members.set(key, [...(members.get(key) ?? []), name]);
    groups.set(key, [...(groups.get(key) ?? []), units.slice(1).map((unit) => unit ?? absent)]);
  }
  return [...groups].map(([key, units]) => ({
    names: members.get(key) ?? [],
    changes: Uint8Array.from(key, Number),
    packed: sumSteps(units, "packed"),
    sizes: sumSteps(units, "size"),
  }));
}

const absent: Unit = {
  kind: "",
  key: "",
  version: "",
  source: "",
  basic: 3,
  size: 0,
  packed: 0,
  needs: [],
  popularity: 0,
  changes: [],
};

function sumSteps(units: readonly (readonly Unit[])[], of: "packed" | "size"): Float64Array {
  const steps = units[0]?.length ?? 0;
  return Float64Array.from({ length: steps }, (_, step) =>
    units.reduce((sum, unit) => sum + (unit[step]?.[of] ?? 0), 0),
  );
}

/** For each step the bytes of the units that changed, compressed: no plan pushes less. */
export function boundSteps(releases: readonly Release[]): readonly number[] {
  return releases.slice(1).map(({ units }, at) => {
    const before = new Map(
      releases[at]?.units.map((unit) => [nameUnit(unit), unit.version] as const),
    );
    return units
      .filter((unit) => before.get(nameUnit(unit)) !== unit.version)
      .reduce((sum, { packed }) => sum + packed, 0);
  });
}
