import { nameUnit, type Plan, type Planner, type Series } from "../model.ts";
import { orderLayers } from "./clairvoyant-order.ts";
import { partitionPatterns } from "./clairvoyant-partition.ts";
import { findPatterns } from "./patterns.ts";

/**
 * The limit: one partition for the whole series by someone who knows all its releases, for the least bytes to push, and
 * the layers in the order that unpacks the least. Found by heuristics (see clairvoyant-partition.ts and clairvoyant-order.ts),
 * so that the best fixed plan costs this or less; `boundSteps` of patterns.ts says what no plan can be below.
 */
export function createClairvoyant({ releases }: Series): Planner {
  const found = new Map<number, Plan>();
  const find = (most: number): Plan => {
    const layers = orderLayers(partitionPatterns(findPatterns(releases), most));
    return layers.map((patterns) => patterns.flatMap(({ names }) => names));
  };
  return {
    name: "clairvoyant",
    about: "one plan for the series, by who knows all its releases",
    plan: (past, most) => {
      const plan = found.get(most) ?? find(most);
      found.set(most, plan);
      const present = new Set(past.releases.at(-1)?.units.map(nameUnit));
      return plan
        .map((names) => names.filter((name) => present.has(name)))
        .filter((names) => names.length > 0);
    },
  };
}
