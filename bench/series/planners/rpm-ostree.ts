import { nameUnit, type Past, type Plan, type Planner, type Release, type Unit } from "../model.ts";
import { day, formComponents, isPackage, toPlan } from "./components.ts";
import { packBySize, type Frequent } from "./rpm-ostree-packing.ts";

/**
 * rpm-ostree's `compose container-encapsulate` and `build-chunked-oci` (their page; the module comments of
 * ostree-rs-ext's chunking), which rechunk and chunkah come from: a package is a component, and how often it changes is
 * the number of its changelog's entries in the year before the newest package of the image. See rpm-ostree-packing.ts
 * for what shares a layer. What belongs to no package changes always, and has a layer alone. A later image keeps the plan of
 * the one before (`--previous-build-manifest`): what is gone is left out, what is new is in the last layer, which is
 * reserved for it.
 *
 * Ours differs in that: the layer of ostree's commit is left out, and the reserved layer stands in no plan while it is empty.
 */
export const rpmOstree: Planner = {
  name: "rpm-ostree",
  about: "rpm-ostree, by size and frequency, keeping the plan before",
  plan: (past, most) => {
    const [release, before] = [past.releases.at(-1), past.plans.at(-1)];
    if (release === undefined) return [];
    if (before !== undefined) return keepPlan(past, release, { before, most });
    return toPlan(packBySize(countChanges(release), most));
  },
};

/** The plan before, and the most layers that there may be. */
interface Kept {
  readonly before: Plan;
  readonly most: number;
}

function countChanges({ units }: Release): readonly Frequent[] {
  const times = units.flatMap(({ changes }) => changes.map(({ time }) => time));
  const newest = times.reduce((most, time) => Math.max(most, time), 0);
  const count = ({ changes }: Unit): number =>
    changes.filter(({ time }) => newest - time <= 365 * day).length;
  return formComponents(units, (unit) => (isPackage(unit) ? nameUnit(unit) : "unpackaged")).map(
    (one) => {
      const [unit] = one.units;
      const isOwned = unit !== undefined && isPackage(unit);
      const frequency = isOwned ? count(unit) : Infinity;
      return { name: one.name, units: one.units, size: one.size, frequency };
    },
  );
}

/** What was in no image before goes into the last layer: that with nothing of the first image in it, or one too many. */
function keepPlan({ releases }: Past, { units }: Release, { before, most }: Kept): Plan {
  const first = new Set(releases[0]?.units.map(nameUnit));
  const names = units.map(nameUnit);
  const present = new Set(names);
  const known = new Set(before.flat());
  const fresh = names.filter((name) => !known.has(name));
  const last = before.at(-1) ?? [];
  const isReserved =
    before.length >= most || (last.length > 0 && last.every((name) => !first.has(name)));
  const fixed = isReserved ? before.slice(0, -1) : before;
  return [...fixed, [...(isReserved ? last : []), ...fresh]]
    .map((layer) => layer.filter((name) => present.has(name)))
    .filter((layer) => layer.length > 0);
}
