import type { Release, Unit } from "../model.ts";
import { groupBy, hashText, mapSome, remember } from "./cache.ts";
import { toDay } from "./changelog.ts";
import { resolveApplication, type Installed } from "./npm-lock.ts";
import {
  describePackages,
  listChanges,
  measureVersions,
  type Known,
  type Sizes,
} from "./npm-registry.ts";
import { compareSemver } from "./semver.ts";
import { toRest } from "./units.ts";

/** What the registry tells of the packages of all states. */
interface Registry {
  readonly known: ReadonlyMap<string, Known>;
  /** By `name@version`. */
  readonly sizes: ReadonlyMap<string, Sizes>;
  /** The day before which no times are taken. */
  readonly since: string;
}

/** How far changelogs reach back before the first state: what is older is dated by when a mirror took it. */
const remembered = 300;

/** A package wherever it stands, and what of the release any of it depends on. */
interface Copies {
  readonly name: string;
  readonly copies: readonly Installed[];
  readonly needs: readonly string[];
}

/** The application's own files: so much of them, all new in each release. */
export const application = { size: 200_000, packed: 50_000 };

/** What npm would have installed on each of these days; the last is the day of collection. */
export async function collectNpm(
  dependencies: Readonly<Record<string, string>>,
  days: readonly string[],
): Promise<readonly Release[]> {
  const key = hashText(JSON.stringify(dependencies));
  const states = await mapSome(days, 4, (day) =>
    remember(`npm/states-${key}/${day}`, () => resolveApplication(dependencies, day)),
  );
  const all = states.flat();
  const names = new Set(all.map(({ name }) => name));
  const known = await describePackages([...names], days.at(-1) ?? "");
  const versions = new Set(all.map(({ name, version }) => `${name}@${version}`));
  const sizes = await measureVersions([...versions]);
  const first = Date.parse(days[0] ?? "") / 1000;
  const registry = { known, sizes, since: toDay(first - remembered * 86_400) };
  return states.map((state, at) => makeRelease(state, registry, days[at] ?? ""));
}

function makeRelease(state: readonly Installed[], registry: Registry, date: string): Release {
  const groups = groupBy(state, ({ name }) => name);
  const packages = [...groups].map(([name, copies]): Unit => {
    const needs = new Set(copies.flatMap((copy) => copy.needs));
    const present = [...needs].filter((one) => one !== name && groups.has(one)).toSorted();
    return joinCopies({ name, copies, needs: present }, registry);
  });
  return { date, units: [...packages, toRest("other", "app", { version: date, ...application })] };
}

/** All copies of a package are one unit: what npm nested within others, too. */
export function joinCopies(
  { name, copies, needs }: Copies,
  { known, sizes, since }: Registry,
): Unit {
  const sum = (count: (sizes: Sizes) => number): number =>
    copies.reduce((bytes, { version }) => {
      const one = sizes.get(`${name}@${version}`);
      return bytes + (one === undefined ? 0 : count(one));
    }, 0);
  const newest =
    copies
      .map(({ version }) => version)
      .toSorted(compareSemver)
      .at(-1) ?? "";
  const told = known.get(name);
  return {
    kind: "npm",
    key: name,
    version: joinVersions(copies),
    source: told?.repository ?? name,
    basic: 3,
    size: sum(({ size }) => size),
    packed: sum(({ packed }) => packed),
    needs,
    popularity: 0,
    changes: told === undefined ? [] : listChanges(told, newest, since),
  };
}

/** `1.2.3` of a package that stands in the application's `node_modules`; `1.2.3 2.0.1:b` where `b` has one of its own. */
export function joinVersions(copies: readonly Installed[]): string {
  return copies
    .map(({ version, within }) => [version, ...within].join(":"))
    .toSorted()
    .join(" ");
}
