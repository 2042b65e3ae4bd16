import type { Release, Series, Unit } from "../model.ts";
import {
  download,
  listSources,
  listVersions,
  openApt,
  resolvePackages,
  type Stanza,
} from "./apt.ts";
import { groupBy, mapSome, remember } from "./cache.ts";
import { toChange, toDay, type Entry } from "./changelog.ts";
import { readPackage, type Contents } from "./deb.ts";
import { measureSystem, type System } from "./system.ts";
import { compareVersions } from "./versions.ts";

/** A version of a package that can be had. */
export interface Built extends Contents {
  readonly name: string;
  readonly version: string;
  readonly stanza: Stanza;
  /** Seconds since 1970 at which its maintainer finished it. */
  readonly time: number;
}

/** A system: what can be had of each of its packages, oldest first, and what else is in it. */
export interface Distribution {
  readonly codename: string;
  readonly packages: ReadonlyMap<string, readonly Built[]>;
  readonly system: System;
}

/** Fetches all versions of a system that has these packages, and reads them. */
export async function collectDistribution(
  codename: string,
  wanted: readonly string[],
): Promise<Distribution> {
  const apt = await openApt(codename);
  const names = await resolvePackages(apt, wanted);
  const stanzas = await listVersions(apt, names);
  const files = await download(apt, stanzas);
  const contents = await mapSome([...stanzas.entries()], 2, async ([at, stanza]) => {
    const [name = "", version = ""] = [stanza.get("Package"), stanza.get("Version")];
    const read = await remember(`debs/${name}_${version}.json`, () =>
      readPackage(files[at] ?? "", name),
    );
    return { ...read, name, version, stanza };
  });
  const packages = groupBy(withChangelogs(contents), ({ name }) => name);
  const key = `systems/${[codename, ...wanted].join("_")}.json`;
  const make = (): Promise<System> => measureSystem(codename, wanted, listSources(codename));
  return { codename, packages: sortVersions(packages), system: await remember(key, make) };
}

/** A package whose documentation is a link has the changelog of the other, in the version of the same source. */
function withChangelogs(all: readonly Omit<Built, "time">[]): readonly Built[] {
  const isFor = (one: Omit<Built, "time">, other: Omit<Built, "time">): boolean =>
    one.link === other.name &&
    readSource(one.stanza).join(" ") === readSource(other.stanza).join(" ");
  return all.map((one) => {
    const entries =
      one.entries.length > 0 ? one.entries : all.find((other) => isFor(one, other))?.entries;
    return { ...one, entries: entries ?? [], time: entries?.[0]?.time ?? 0 };
  });
}

function sortVersions(
  packages: ReadonlyMap<string, readonly Built[]>,
): ReadonlyMap<string, readonly Built[]> {
  return new Map(
    [...packages].map(([name, all]) => [
      name,
      all.toSorted((one, two) => compareVersions(one.version, two.version)),
    ]),
  );
}

/** The name and the version of the source. */
function readSource(stanza: Stanza): readonly [string, string] {
  const [, name, version] = /^(\S+)(?: \((.*)\))?$/.exec(stanza.get("Source") ?? "") ?? [];
  return [name ?? stanza.get("Package") ?? "", version ?? stanza.get("Version") ?? ""];
}

/** The release of a day from the versions that were there: the last unit of each package on it. */
export function makeRelease(
  { packages, system }: Distribution,
  date: string,
  choose: (versions: readonly Built[]) => Built | undefined,
): Release {
  const chosen = [...packages.values()].map(choose).filter((one) => one !== undefined);
  const needs = findNeeds(chosen);
  const units = chosen.map((one) => toUnit(one, needs(one)));
  const versions = new Map(chosen.map(({ name, version }) => [name, version]));
  const compiled = system.compiled.map((name) => `${name}=${versions.get(name)}`).join(" ");
  const rest = [
    toRest("database", "dpkg-database", { version: date, ...system.database }),
    toRest("other", "other", { version: date, ...system.other }),
    toRest("other", "python-cache", { version: compiled, ...system.cache }),
  ];
  return { date, units: [...units, ...rest.filter(({ size }) => size > 0)] };
}

function toUnit(
  { name, version, stanza, size, packed, entries }: Built,
  needs: readonly string[],
): Unit {
  const priority = stanza.get("Priority");
  const isBasic = stanza.get("Essential") === "yes" || priority === "required";
  return {
    kind: "dpkg",
    key: name,
    version,
    source: readSource(stanza)[0],
    basic: isBasic ? 1 : priority === "important" ? 2 : 3,
    size,
    packed,
    needs,
    popularity: 0,
    changes: entries.map(toChange),
  };
}

function toRest(
  kind: string,
  key: string,
  { version, size, packed }: Pick<Unit, "version" | "size" | "packed">,
): Unit {
  return {
    kind,
    key,
    version,
    source: key,
    basic: 3,
    size,
    packed,
    needs: [],
    popularity: 0,
    changes: [],
  };
}

/** What each package depends on, of these packages: of alternatives the first that is there, by name or as what it provides. */
function findNeeds(all: readonly Built[]): (one: Built) => readonly string[] {
  const providers = new Map<string, string>();
  for (const { name, stanza } of all) {
    for (const [word] of listNames(stanza.get("Provides")))
      if (word !== undefined && !providers.has(word)) providers.set(word, name);
  }
  for (const { name } of all) providers.set(name, name);
  return ({ name, stanza }) => {
    const clauses = [...listNames(stanza.get("Pre-Depends")), ...listNames(stanza.get("Depends"))];
    const found = clauses.map((words) =>
      words.map((word) => providers.get(word)).find((one) => one !== undefined),
    );
    return [...new Set(found)]
      .filter((one) => one !== undefined && one !== name)
      .toSorted() as string[];
  };
}

/** `a (>= 1) | b, c:any` as its names: `[[a, b], [c]]`. */
function listNames(field = ""): readonly (readonly string[])[] {
  return field
    .split(",")
    .map((clause) => clause.split("|").map((word) => /^\s*([\w.+-]+)/.exec(word)?.[1] ?? ""))
    .filter(([word]) => word !== "");
}

/** The days on which there was something new, after a first day of what was there before; and the series of them. */
export function makeReleases(distribution: Distribution): readonly Release[] {
  const all = [...distribution.packages.values()];
  const steps = [
    ...new Set(all.flatMap((one) => one.slice(1)).map(({ time }) => toDay(time))),
  ].toSorted();
  const oldest = Math.max(...all.map(([one]) => one?.time ?? 0));
  const before = Date.parse(steps[0] ?? toDay(oldest + 86_400)) / 1000 - 86_400;
  const days = [toDay(Math.min(oldest, before)), ...steps];
  return days.map((day) =>
    makeRelease(
      distribution,
      day,
      (versions) => versions.findLast(({ time }) => toDay(time) <= day) ?? versions[0],
    ),
  );
}

export type { Entry, Series };
