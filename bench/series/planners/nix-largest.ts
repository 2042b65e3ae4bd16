import { nameUnit, type Planner } from "../model.ts";
import { compareText, isPackage, sumOf } from "./components.ts";
import { closeNeeds, graphNeeds, type Node } from "./graph.ts";

/**
 * nixpkgs' default since NixOS/nixpkgs#355189 (the request's text; auto-layer's comment): the largest packages are each
 * the head of a layer. All others are together by which heads need them, where only the nearest count: a head that needs
 * another one that needs the package does not. One head more as long as the layers are not too many. What needs the least
 * bytes altogether lies lowest. One layer above is for what is no package.
 *
 * Ours differs in that: a package manager's dependencies stand for a store's references (see graph.ts for circles).
 */
export const nixLargest: Planner = {
  name: "nix, largest first",
  about: "nixpkgs' newer default, by the largest packages and what they need",
  plan: ({ releases }, most) => {
    const units = releases.at(-1)?.units ?? [];
    const above = units.filter((unit) => !isPackage(unit)).map(nameUnit);
    const nodes = graphNeeds(units.filter(isPackage));
    const closures = closeNeeds(nodes);
    const weigh = (layer: readonly Node[]): number => sumClosure(layer, closures);
    const layers = groupByHeads(nodes, closures, most - 1).map((layer) => ({
      names: layer.map(({ name }) => name),
      weight: weigh(layer),
    }));
    const sorted = layers.sort(
      (a, b) => a.weight - b.weight || compareText(a.names[0] ?? "", b.names[0] ?? ""),
    );
    return [...sorted.map(({ names }) => names), above].filter((layer) => layer.length > 0);
  },
};

type Closures = ReadonlyMap<Node, ReadonlySet<Node>>;

/** Bytes of the packages of a layer and all that they need. */
function sumClosure(layer: readonly Node[], closures: Closures): number {
  const all = new Set([...layer, ...layer.flatMap((node) => [...(closures.get(node) ?? [])])]);
  return sumOf([...all], ({ unit }) => unit.size);
}

/** At most `most` layers. */
export function groupByHeads(
  nodes: readonly Node[],
  closures: Closures,
  most: number,
): readonly (readonly Node[])[] {
  const bySize = [...nodes].sort(
    (a, b) => b.unit.size - a.unit.size || compareText(a.name, b.name),
  );
  let heads = new Map<Node, ReadonlySet<Node>>(nodes.map((node) => [node, new Set<Node>()]));
  for (const head of bySize) {
    const next = addHead(head, heads, closures);
    if (groupNodes(next).length > most) break;
    heads = next;
  }
  return groupNodes(heads);
}

/** Which heads each package has once there is one more. */
function addHead(
  head: Node,
  heads: ReadonlyMap<Node, ReadonlySet<Node>>,
  closures: Closures,
): Map<Node, ReadonlySet<Node>> {
  const next = new Map(heads).set(head, new Set([head]));
  const below = closures.get(head) ?? new Set<Node>();
  for (const node of below) {
    const nearest = [...(heads.get(node) ?? [])].filter((one) => !closures.get(one)?.has(head));
    const isHidden = nearest.some((one) => below.has(one));
    next.set(node, new Set(isHidden ? nearest : [...nearest, head]));
  }
  return next;
}

/** Those with the same heads are together. */
function groupNodes(heads: ReadonlyMap<Node, ReadonlySet<Node>>): readonly (readonly Node[])[] {
  const groups = new Map<string, Node[]>();
  for (const [node, own] of heads) {
    const key = [...own]
      .map(({ name }) => name)
      .sort(compareText)
      .join("\n");
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [node]);
    else group.push(node);
  }
  return [...groups.values()];
}
