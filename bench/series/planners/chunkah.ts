import type { Planner, Unit } from "../model.ts";
import {
  day,
  endOf,
  formComponents,
  isCompiled,
  isPackage,
  nameSource,
  toPlan,
} from "./components.ts";
import { packByStability, type Rated } from "./chunkah-packing.ts";
import { findFirstDates } from "./first-dates.ts";

/**
 * coreos/chunkah 0.6 (README; its packing's and its changelog reading's module comments): the packages of one source
 * package are a component, and all that no package owns is one more. A component's stability is the chance that it
 * stays as it is for a week, by a Poisson process whose rate is its changelog's: days with an entry in the last year,
 * divided by the days since the oldest of these; the least of its packages' counts. See chunkah-packing.ts for what
 * shares a layer. Each image is planned anew, the plan before is not looked at.
 *
 * Ours differs in that: Debian's and the languages' packages are components as RPMs are (chunkah itself knows RPM and
 * pacman); where there is no changelog, the day of the first release with this version stands for the build's time; files
 * over 1 MB that nobody owns are no components of their own, for the tables have one unit for all.
 */
export const chunkah: Planner = {
  name: "chunkah",
  about: "coreos/chunkah, by size and stability",
  plan: ({ releases }, most) => {
    const release = releases.at(-1);
    if (release === undefined) return [];
    const now = endOf(release);
    const first = findFirstDates(releases);
    const rate = (unit: Unit): number =>
      isPackage(unit) ? estimateStability(listTimes(unit), first(unit), now) : 0;
    const components = formComponents(release.units, nameComponent).map(
      ({ name, units, size }): Rated => {
        return { name, units, size, stability: Math.min(...units.map(rate)) };
      },
    );
    return toPlan(packByStability(components, most));
  },
};

/** As chunkah calls them, for a name's hash tells where it goes: Debian's packages are RPMs to it. */
export function nameComponent(unit: Unit): string {
  if (!isPackage(unit)) return "chunkah/unclaimed";
  return unit.kind === "dpkg" || isCompiled(unit) ? `rpm/${unit.source}` : nameSource(unit);
}

function listTimes({ changes }: Unit): readonly number[] {
  return changes.map(({ time }) => time);
}

/** From 0 to 0.99. All times are seconds since 1970. */
export function estimateStability(times: readonly number[], built: number, now: number): number {
  const recent = (times.length === 0 ? [built] : times).filter((time) => time >= now - 365 * day);
  if (recent.length === 0) return 0.99;
  const span = (now - Math.min(...recent)) / day;
  if (span < 1) return 0;
  const days = new Set(recent.map((time) => Math.floor(time / day)));
  return Math.exp((-days.size / span) * 7);
}
