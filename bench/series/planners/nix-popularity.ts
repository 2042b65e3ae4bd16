import { nameUnit, type Planner } from "../model.ts";
import { compareText, isPackage } from "./components.ts";
import { closeNeeds, graphNeeds, type Node } from "./graph.ts";

/**
 * nixpkgs' `dockerTools.buildLayeredImage` up to 24.11, and the layering pipeline `popularity_contest`, `limit_layers`
 * (the manual's "dockerTools"; the comment of references-by-popularity): a package counts the more, the more ways lead to
 * it from what nobody needs and the longer they are. The most popular have a layer each, the first lowest, all others share
 * the last one. One layer above is for what is no package (nixpkgs' customisation layer). `subcomponent_out`,
 * `split_paths` and `over` divide the graph by packages that a user names: no rule, so there is no row of them.
 *
 * Ours differs in that: a package manager's dependencies stand for a store's references (see graph.ts for circles).
 */
export const nixPopularity: Planner = {
  name: "nix, popularity",
  about: "nixpkgs' popularity contest",
  plan: ({ releases }, most) => {
    const units = releases.at(-1)?.units ?? [];
    const above = units.filter((unit) => !isPackage(unit)).map(nameUnit);
    const popular = sortByPopularity(graphNeeds(units.filter(isPackage)));
    const room = most - 1;
    const alone = popular.length > room ? room - 1 : popular.length;
    return [...popular.slice(0, alone).map((name) => [name]), popular.slice(alone), above].filter(
      (layer) => layer.length > 0,
    );
  },
};

/**
 * Names, the most popular first, by name where they are equal. The contest is told as one of counters that are merged and
 * incremented level by level; that comes to the number of ways to the package and to each that needs it.
 */
export function sortByPopularity(nodes: readonly Node[]): readonly string[] {
  const ways = countWays(nodes);
  const popularity = new Map(ways);
  for (const [node, closure] of closeNeeds(nodes)) {
    for (const one of closure) {
      popularity.set(one, (popularity.get(one) ?? 0) + (ways.get(node) ?? 0));
    }
  }
  return [...nodes]
    .sort(
      (a, b) => (popularity.get(b) ?? 0) - (popularity.get(a) ?? 0) || compareText(a.name, b.name),
    )
    .map(({ name }) => name);
}

/** How many ways lead to each from those that nobody needs. `nodes` has each after all that need it. */
function countWays(nodes: readonly Node[]): ReadonlyMap<Node, number> {
  const ways = new Map<Node, number>();
  for (const node of nodes) {
    // Nobody needs it: the way that begins here.
    const count = ways.get(node) ?? 1;
    ways.set(node, count);
    for (const one of node.needs) ways.set(one, (ways.get(one) ?? 0) + count);
  }
  return ways;
}
