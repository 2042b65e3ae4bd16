import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { nameUnit, type Change, type Release, type Series, type Unit } from "./model.ts";

/**
 * A series as it is stored: the first release whole, of each later one what differs. Changelogs are chains, so that all
 * versions of a source share what is old: an entry is `[time, distribution, advisories, older]`, where `distribution`
 * is an index into `distributions` and `older` one into `entries` (-1: it is the first; left out: the entry before).
 */
export interface Stored extends Omit<Series, "releases"> {
  readonly distributions: readonly string[];
  readonly entries: readonly (readonly number[])[];
  readonly releases: readonly StoredRelease[];
}

interface StoredRelease {
  readonly date: string;
  /** The names (`kind key`) of what is no longer there. */
  readonly gone?: readonly string[];
  /** What is new, or not as it was. */
  readonly units: readonly StoredUnit[];
}

/** `changes`: the index of the newest entry; -1 where there is none. */
type StoredUnit = Omit<Unit, "changes"> & { readonly changes: number };

/** Reads a stored series; the units of each release are in the order of their names. */
export async function readSeries(file: string): Promise<Series> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new Error(`cannot read the series ${file}: collect it by scripts/series.sh`, {
      cause: error,
    });
  });
  const stored: Stored = JSON.parse(text);
  return unpackSeries(stored);
}

/** Writes a series, a release's unit and an entry a line, so that what changes in it can be seen. */
export async function writeSeries(file: string, series: Series): Promise<void> {
  const { releases, entries, ...head } = packSeries(series);
  const texts = releases.map(
    ({ units, ...rest }) => `${JSON.stringify(rest).slice(0, -1)},"units":${writeLines(units)}}`,
  );
  const text = `${JSON.stringify(head).slice(0, -1)},\n"entries":${writeLines(entries)},\n"releases":[\n${texts.join(",\n")}\n]}\n`;
  await mkdir(dirname(file), { recursive: true });
  // Beside its place first: what stands there is whole.
  await writeFile(`${file}.${process.pid}`, text);
  await rename(`${file}.${process.pid}`, file);
}

function writeLines(all: readonly unknown[]): string {
  return `[\n${all.map((one) => JSON.stringify(one)).join(",\n")}\n]`;
}

export function packSeries({ releases, ...head }: Series): Stored {
  const pool = createPool();
  let before: ReadonlyMap<string, string> = new Map();
  const stored = releases.map(({ date, units }): StoredRelease => {
    const packed = sortUnits(units).map((unit): [string, StoredUnit] => [
      nameUnit(unit),
      { ...unit, changes: pool.add(unit.changes) },
    ]);
    const now = new Map(packed.map(([name, unit]) => [name, JSON.stringify(unit)]));
    const fresh = packed.filter(([name]) => before.get(name) !== now.get(name));
    const gone = [...before.keys()].filter((name) => !now.has(name));
    before = now;
    return { date, ...(gone.length > 0 && { gone }), units: fresh.map(([, unit]) => unit) };
  });
  return { ...head, distributions: pool.distributions, entries: pool.entries, releases: stored };
}

export function unpackSeries({ distributions, entries, releases, ...head }: Stored): Series {
  const read = (index: number): readonly Change[] => {
    const changes: Change[] = [];
    for (let at = index; at >= 0;) {
      const [time = 0, distribution = 0, advisories = 0, older = at - 1] = entries[at] ?? [];
      changes.push({ time, distribution: distributions[distribution] ?? "", advisories });
      at = older;
    }
    return changes;
  };
  const units = new Map<string, Unit>();
  const all = releases.map(({ date, gone = [], units: fresh }): Release => {
    for (const name of gone) units.delete(name);
    for (const unit of fresh) {
      const whole = { ...unit, changes: read(unit.changes) };
      units.set(nameUnit(whole), whole);
    }
    return { date, units: sortUnits([...units.values()]) };
  });
  return { ...head, releases: all };
}

/** The order of the units in a release: by name, which depends on no language. */
function sortUnits(units: readonly Unit[]): readonly Unit[] {
  return units.toSorted((one, two) => (nameUnit(one) < nameUnit(two) ? -1 : 1));
}

interface Pool {
  readonly distributions: readonly string[];
  readonly entries: readonly (readonly number[])[];
  /** Takes a changelog in, and returns the index of its newest entry. */
  readonly add: (changes: readonly Change[]) => number;
}

function createPool(): Pool {
  const distributions: string[] = [];
  const entries: number[][] = [];
  const indices = new Map<string, number>();
  const addDistribution = (name: string): number => {
    const at = distributions.indexOf(name);
    return at < 0 ? distributions.push(name) - 1 : at;
  };
  const addEntry = ({ time, distribution, advisories }: Change, older: number): number => {
    const values = [time, addDistribution(distribution), advisories];
    const key = [...values, older].join(" ");
    const known = indices.get(key);
    if (known !== undefined) return known;
    const index = entries.push(older === entries.length - 1 ? values : [...values, older]) - 1;
    indices.set(key, index);
    return index;
  };
  const add: Pool["add"] = (changes) =>
    changes.toReversed().reduce((older, change) => addEntry(change, older), -1);
  return { distributions, entries, add };
}
