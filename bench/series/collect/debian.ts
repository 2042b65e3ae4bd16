import {
  download,
  listSources,
  listVersions,
  openApt,
  resolvePackages,
  type Stanza,
} from "./apt.ts";
import { groupBy, hashText, mapSome, remember } from "./cache.ts";
import { readPackage, type Contents } from "./deb.ts";
import { measureSystem, type System } from "./system.ts";
import { compareVersions } from "./versions.ts";

/** A version of a package that can be had. */
export interface Built extends Contents {
  readonly name: string;
  readonly version: string;
  readonly stanza: Stanza;
}

/** A system: by package what can be had of it, oldest first and one at least; and what else is in it. */
export interface Distribution {
  readonly codename: string;
  readonly packages: ReadonlyMap<string, readonly Built[]>;
  readonly system: System;
}

/** Fetches all versions that there are of a system with these packages, and reads them. */
export async function collectDistribution(
  codename: string,
  wanted: readonly string[],
): Promise<Distribution> {
  const apt = await openApt(codename);
  const stanzas = await listVersions(apt, await resolvePackages(apt, wanted));
  const files = await download(apt, stanzas);
  const read = await mapSome([...stanzas.entries()], 2, async ([at, stanza]): Promise<Built> => {
    const [name = "", version = ""] = [stanza.get("Package"), stanza.get("Version")];
    const make = (): Promise<Contents> => readPackage(files[at] ?? "", name);
    return { ...(await remember(`contents/${name}_${version}`, make)), name, version, stanza };
  });
  const packages = groupBy(withChangelogs(read), ({ name }) => name);
  // Of these very versions.
  const all = [...wanted, ...read.map(({ name, version }) => `${name}=${version}`)].join(" ");
  const make = (): Promise<System> => measureSystem(codename, wanted, listSources(codename));
  const system = await remember(`systems/${codename}_${hashText(all)}`, make);
  return { codename, packages: sortVersions(packages), system };
}

/** A package that has no changelog of its own has that of another of the same version of the source: its link's, if any. */
export function withChangelogs(all: readonly Built[]): readonly Built[] {
  const sourceOf = ({ stanza }: Built): string => readSource(stanza).join(" ");
  const told = groupBy(
    all.filter(({ entries }) => entries.length > 0),
    sourceOf,
  );
  return all.map((one) => {
    if (one.entries.length > 0) return one;
    const others = told.get(sourceOf(one)) ?? [];
    const other = others.find(({ name }) => name === one.link) ?? others[0];
    return { ...one, entries: other?.entries ?? [] };
  });
}

function sortVersions(
  packages: ReadonlyMap<string, readonly Built[]>,
): ReadonlyMap<string, readonly Built[]> {
  const sort = (all: readonly Built[]): readonly Built[] =>
    all.toSorted((one, two) => compareVersions(one.version, two.version));
  return new Map([...packages].map(([name, all]) => [name, sort(all)]));
}

/** The name of the source, and its version. */
export function readSource(stanza: Stanza): readonly [name: string, version: string] {
  const [, name, version] = /^(\S+)(?: \((.*)\))?$/.exec(stanza.get("Source") ?? "") ?? [];
  return [name ?? stanza.get("Package") ?? "", version ?? stanza.get("Version") ?? ""];
}
