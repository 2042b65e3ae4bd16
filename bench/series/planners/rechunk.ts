import { nameUnit, type Past, type Plan, type Planner, type Release } from "../model.ts";
import { day, endOf, formComponents, isPackage, nameSource, sumOf, toPlan } from "./components.ts";
import { fillLayers, type Bin, prefillLayers, type Weekly } from "./rechunk-filling.ts";
import { allWeeks, weeksOf } from "./weeks.ts";

const unpackaged = "unpackaged";

/**
 * hhd-dev/rechunk (readme, "Algorithm"; its defaults are those of its `meta.yml`): packages that are updated together
 * are a meta package; of each the weeks of the last year in which its changelog has an entry are known (all weeks, where it
 * has two entries or fewer). Large meta packages have layers of their own, small packages (less than 0.5 MB, then less
 * than 1 MB) share one each; a layer of the others begins with the largest package and takes that which makes the least of
 * (weeks with an update) x bytes, until it has 0.4 of the mean layer's size; what is left goes where it makes the
 * least more, as long as a layer has at most 1.3 of the mean's. A later image keeps the plan of the one before: only what is new is
 * placed, by the last rule.
 *
 * Ours differs in that: `meta.yml` is a list of Fedora's names by hand, so packages of one source are a meta package,
 * and those of the first release that have several packages and 10 MB have their own layers, the largest first, at most
 * half of all; where every layer is over its limit, the cheapest takes more (rechunk gives up).
 */
export const rechunk: Planner = {
  name: "rechunk",
  about: "hhd-dev/rechunk, weeks with an update times bytes, keeping the plan before",
  plan: (past, most) => {
    const release = past.releases.at(-1);
    if (release === undefined) return [];
    const components = weigh(release);
    const own = chooseDedicated(past.releases[0] ?? release, most);
    const isOwn = ({ name }: Weekly): boolean => name !== unpackaged && own.has(name);
    const dedicated = components.filter(isOwn).map((one) => [one]);
    const rest = components.filter((one) => !isOwn(one) && one.name !== unpackaged);
    const above = components.filter(({ name }) => name === unpackaged);
    const room = most - dedicated.length - above.length;
    const mean = sumOf(components, ({ size }) => size) / most;
    return toPlan([...dedicated, ...planRest(rest, { room, mean }, past), above]);
  },
};

/** `room`: how many layers there are for these; `mean`: bytes of the image's mean layer. */
function planRest(
  rest: readonly Weekly[],
  { room, mean }: { readonly room: number; readonly mean: number },
  past: Past,
): readonly Bin[] {
  const before = past.plans.at(-1);
  const bins =
    before === undefined ? prefillLayers(rest, room, mean * 0.4) : keepLayers(rest, room, before);
  const placed = new Set(bins.flat());
  return fillLayers(
    bins,
    rest.filter((one) => !placed.has(one)),
    mean * 1.3,
  );
}

/** The layers of the plan before with what is still there, and as many empty ones as there is room for. */
function keepLayers(rest: readonly Weekly[], room: number, before: Plan): readonly Bin[] {
  const placeOf = new Map(before.flatMap((names, at) => names.map((name) => [name, at] as const)));
  const bins = before.map((): Weekly[] => []);
  for (const one of rest) {
    const places = one.units.map((unit) => placeOf.get(nameUnit(unit)));
    const at = places.find((place) => place !== undefined);
    if (at !== undefined) bins[at]?.push(one);
  }
  const kept = bins.filter((bin) => bin.length > 0);
  return [...kept, ...Array.from({ length: Math.max(0, room - kept.length) }, (): Weekly[] => [])];
}

function weigh(release: Release): readonly Weekly[] {
  const now = endOf(release);
  return formComponents(release.units, (unit) =>
    isPackage(unit) ? nameSource(unit) : unpackaged,
  ).map(({ name, units, size }) => {
    const times = units.flatMap(({ changes }) => changes.map(({ time }) => time));
    const recent = times.filter((time) => now - time <= 365 * day);
    return { name, units, size, weeks: times.length <= 2 ? allWeeks : weeksOf(recent) };
  });
}

/** Names of the meta packages that have a layer each, whatever comes. */
function chooseDedicated({ units }: Release, most: number): ReadonlySet<string> {
  const large = formComponents(units.filter(isPackage), nameSource)
    .filter((one) => one.units.length > 1 && one.size >= 10e6)
    .sort((a, b) => b.size - a.size);
  return new Set(large.slice(0, Math.floor(most / 2)).map(({ name }) => name));
}
