import type { Planner } from "../model.ts";
import { compareText, formComponents, isPackage, nameSource, toPlan } from "./components.ts";

/**
 * chainguard-dev/apko, `layering: { strategy: origin, budget: N }` (pkg/build/layers.go and the release notes):
 * packages of one origin (source package) are a group, and so is each package of a language; the groups are sorted by
 * installed size, the largest first; the largest `budget - 1` have layers of their own, all that are left share one;
 * files of no package are in a layer above. No history is looked at.
 *
 * Ours differs in that: the layer above counts among the most that are allowed (apko's budget does not count it); groups
 * are not joined where packages replace each other's files, for the tables do not know; and each layer's own part of
 * the package database is left out.
 */
export const apko: Planner = {
  name: "apko",
  about: "chainguard-dev/apko, origin and budget",
  plan: ({ releases }, most) => {
    const units = releases.at(-1)?.units ?? [];
    const above = formComponents(
      units.filter((unit) => !isPackage(unit)),
      ({ kind }) => kind,
    );
    const budget = most - (above.length > 0 ? 1 : 0);
    const groups = [...formComponents(units.filter(isPackage), nameSource)].sort(
      (a, b) => b.size - a.size || compareText(a.name, b.name),
    );
    const alone = groups.length > budget ? Math.max(0, budget - 1) : groups.length;
    return toPlan([...groups.slice(0, alone).map((one) => [one]), groups.slice(alone), above]);
  },
};
