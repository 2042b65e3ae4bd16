import { nameUnit, type Unit } from "../model.ts";
import { compareText } from "./components.ts";

/** A package of the graph, and what it needs. Nobody needs itself, directly or not. */
export interface Node {
  readonly unit: Unit;
  readonly name: string;
  readonly needs: readonly Node[];
}

/**
 * The graph of what packages need, each package after all that need it, by name where that leaves a choice. A store's
 * references never lead back; packages' do, and what leads back to a package on the way there (by names) is left out.
 */
export function graphNeeds(units: readonly Unit[]): readonly Node[] {
  const sorted = [...units].sort((a, b) => compareText(nameUnit(a), nameUnit(b)));
  const byName = new Map(sorted.map((unit) => [nameUnit(unit), unit]));
  const nodes = new Map<Unit, Node>();
  const onTheWay = new Set<Unit>();
  const visit = (unit: Unit): Node => {
    const found = nodes.get(unit);
    if (found !== undefined) return found;
    onTheWay.add(unit);
    const needed = [...new Set(unit.needs)]
      .sort(compareText)
      .flatMap((key) => byName.get(`${unit.kind} ${key}`) ?? []);
    const needs = needed.flatMap((one) => (onTheWay.has(one) ? [] : visit(one)));
    onTheWay.delete(unit);
    const node = { unit, name: nameUnit(unit), needs };
    nodes.set(unit, node);
    return node;
  };
  for (const unit of sorted) visit(unit);
  // What is finished first is needed by what is finished later.
  return [...nodes.values()].toReversed();
}

/** Of each node all that it needs, directly or not, without itself. */
export function closeNeeds(nodes: readonly Node[]): ReadonlyMap<Node, ReadonlySet<Node>> {
  const closures = new Map<Node, Set<Node>>();
  for (const node of [...nodes].toReversed()) {
    const closure = new Set(node.needs);
    for (const needed of node.needs) for (const one of closures.get(needed) ?? []) closure.add(one);
    closures.set(node, closure);
  }
  return closures;
}
