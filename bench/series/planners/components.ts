import { medianOf } from "../../measure.ts";
import { nameUnit, type Plan, type Release, type Unit } from "../model.ts";

/** Seconds of a day. */
export const day = 86_400;

/** What a planner never divides: some units, by a name. */
export interface Component {
  readonly name: string;
  readonly units: readonly Unit[];
  /** Bytes of all files in it, uncompressed. */
  readonly size: number;
}

/**
 * Whether a planner sees a package: not the database, nor what nobody owns. The compiled files of Python's packages are
 * one, for the rivals' favour: where these come from, such files are in packages, or not there; as files that nobody owns
 * they would be pushed with all others at each step.
 */
export function isPackage(unit: Unit): boolean {
  return isCompiled(unit) || (unit.kind !== "database" && unit.kind !== "other");
}

/** Whether these are the files that Python compiled of packages' files. */
export function isCompiled({ kind, key }: Unit): boolean {
  return kind === "other" && key === "python-cache";
}

/** The source package's name, told apart from those of other package managers. */
export function nameSource({ kind, source }: Unit): string {
  return `${kind}/${source}`;
}

/** When the image of a release is built, in seconds since 1970: at the end of its day. */
export function endOf({ date }: Release): number {
  return Date.parse(date) / 1000 + day;
}

/** Units with the same name are one component; sorted by name. */
export function formComponents(
  units: readonly Unit[],
  nameOf: (unit: Unit) => string,
): readonly Component[] {
  const groups = new Map<string, Unit[]>();
  for (const unit of units) {
    const name = nameOf(unit);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [unit]);
    else group.push(unit);
  }
  return [...groups]
    .map(([name, members]) => ({ name, units: members, size: sumOf(members, ({ size }) => size) }))
    .sort((a, b) => compareText(a.name, b.name));
}

/** Layers of components as a plan; those with none are left out. */
export function toPlan(layers: readonly (readonly Component[])[]): Plan {
  return layers
    .map((components) => components.flatMap(({ units }) => units.map(nameUnit)))
    .filter((names) => names.length > 0);
}

export function sumOf<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((sum, value) => sum + of(value), 0);
}

/** By the numbers of UTF-16: the same on every machine. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The median, and the median of the distances from it. */
export function spreadAround(values: readonly number[]): {
  readonly median: number;
  readonly deviation: number;
} {
  const median = medianOf(values);
  return { median, deviation: medianOf(values.map((value) => Math.abs(value - median))) };
}

/** The mean, and the standard deviation of all (not of a sample). */
export function meanAndDeviation(values: readonly number[]): {
  readonly mean: number;
  readonly deviation: number;
} {
  const mean = sumOf(values, (value) => value) / Math.max(1, values.length);
  const variance = sumOf(values, (value) => (value - mean) ** 2) / Math.max(1, values.length);
  return { mean, deviation: Math.sqrt(variance) };
}
