import type { Past, Plan, Planner, Release, Series, Unit } from "./model.ts";

/** A package of a table that a test writes; its compressed bytes are a tenth unless they are told. */
export function unitOf(key: string, rest: Partial<Unit> = {}): Unit {
  const size = rest.size ?? 100;
  return {
    kind: "dpkg",
    key,
    version: "1",
    source: key,
    basic: 3,
    size,
    packed: size / 10,
    needs: [],
    popularity: 0,
    changes: [],
    ...rest,
  };
}

export function releaseOf(date: string, ...units: readonly Unit[]): Release {
  return { date, units };
}

export function seriesOf(...releases: readonly Release[]): Series {
  return { name: "sample", title: "A sample", about: "", releases };
}

/** Changelog entries of these days, each at noon. */
export function changesOn(...days: readonly string[]): Unit["changes"] {
  return days.map((day) => ({
    time: Date.parse(`${day}T12:00:00Z`) / 1000,
    distribution: "stable",
    advisories: 0,
  }));
}

/** The plans of all releases in turn; keys alone, those of a layer sorted. */
export async function planAll(
  { plan }: Planner,
  most: number,
  ...releases: readonly Release[]
): Promise<readonly (readonly string[])[][]> {
  const plans: Plan[] = [];
  for (const at of releases.keys()) {
    const past: Past = { releases: releases.slice(0, at + 1), plans: plans.slice() };
    plans.push(await plan(past, most));
  }
  return plans.map((one) =>
    one.map((names) => names.map((name) => name.replace(/^\S+ /, "")).sort()),
  );
}
