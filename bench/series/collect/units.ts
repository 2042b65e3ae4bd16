import type { Release, Unit } from "../model.ts";
import { hashText } from "./cache.ts";
import { toChange } from "./changelog.ts";
import { readSource, type Built, type Distribution } from "./debian.ts";
import { findNeeds } from "./needs.ts";

/** The release of a day: of each package the version that `choose` takes of those that can be had. */
export function makeRelease(
  { packages, system }: Distribution,
  date: string,
  choose: (versions: readonly Built[]) => Built | undefined,
): Release {
  const chosen = [...packages.values()].flatMap((versions) => choose(versions) ?? []);
  const needs = findNeeds(chosen.map(({ stanza }) => stanza));
  const versions = new Map(chosen.map(({ name, version }) => [name, version]));
  const compiled = system.compiled.map((name) => `${name}=${versions.get(name)}`).join(" ");
  // All of them would be a long word.
  const cacheVersion = hashText(compiled);
  const rest = [
    toRest("database", "dpkg-database", { version: date, ...system.database }),
    toRest("other", "other", { version: date, ...system.other }),
    toRest("other", "python-cache", { version: cacheVersion, ...system.cache }),
  ];
  const units = chosen.map((one) => toUnit(one, needs(one.stanza)));
  return { date, units: [...units, ...rest.filter(({ size }) => size > 0)] };
}

function toUnit(one: Built, needs: readonly string[]): Unit {
  const { name, version, stanza, size, packed, entries } = one;
  const isBasic = stanza.get("Essential") === "yes" || stanza.get("Priority") === "required";
  return {
    kind: "dpkg",
    key: name,
    version,
    source: readSource(stanza)[0],
    basic: isBasic ? 1 : stanza.get("Priority") === "important" ? 2 : 3,
    size,
    packed,
    needs,
    popularity: 0,
    changes: entries.map(toChange),
  };
}

/** What is no package, or one of which only this is known. */
export function toRest(
  kind: string,
  key: string,
  known: Pick<Unit, "version" | "size" | "packed"> & Partial<Unit>,
): Unit {
  const none = { source: key, basic: 3, needs: [], popularity: 0, changes: [] } as const;
  return { kind, key, ...none, ...known };
}
