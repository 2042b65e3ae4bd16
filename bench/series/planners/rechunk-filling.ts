import { sumOf, type Component } from "./components.ts";
import { countJoined, countWeeks, joinWeeks, noWeeks, type Weeks } from "./weeks.ts";

/** A component, and the weeks of the last year in which it was updated. */
export interface Weekly extends Component {
  readonly weeks: Weeks;
}

export type Bin = readonly Weekly[];

/** A layer that grows. `cost` is its weeks times its bytes. */
interface Filling {
  readonly members: Weekly[];
  weeks: Weeks;
  size: number;
  cost: number;
}

/** Bytes; what is smaller shares a layer. */
const smallSizes = [0.5e6, 1e6];

/** The first layers, at most `most`: not all components need to be in them. `enough` bytes end a layer. */
export function prefillLayers(
  components: readonly Weekly[],
  most: number,
  enough: number,
): readonly Bin[] {
  const left = new Set(components);
  const bins: Bin[] = [];
  for (const limit of smallSizes) {
    const small = [...left].filter(({ size }) => size < limit);
    for (const one of small) left.delete(one);
    if (small.length > 0) bins.push(small);
  }
  while (bins.length < most && left.size > 0) bins.push(growLayer(left, enough));
  return bins;
}

/** From the largest component on, what makes the least cost joins. */
function growLayer(left: Set<Weekly>, enough: number): Bin {
  const seed = [...left].reduce((best, one) => (one.size > best.size ? one : best));
  const layer = startLayer([seed]);
  left.delete(seed);
  while (layer.size <= enough && left.size > 0) {
    const next = [...left].reduce((best, one) =>
      costWith(layer, one) < costWith(layer, best) ? one : best,
    );
    left.delete(next);
    join(layer, next);
  }
  return layer.members;
}

/** Puts what is left, one after the other, where it adds the least; a layer over `limit` bytes takes no more. */
export function fillLayers(
  bins: readonly Bin[],
  components: readonly Weekly[],
  limit: number,
): readonly Bin[] {
  const layers = bins.map(startLayer);
  const left = new Set(components);
  while (left.size > 0) {
    const open = layers.filter(({ size }) => size <= limit);
    const best = findCheapest(open.length > 0 ? open : layers, left);
    if (best === undefined) throw new Error("rechunk's rule has no layer to fill");
    left.delete(best.one);
    join(best.layer, best.one);
  }
  return layers.map(({ members }) => members);
}

function findCheapest(
  layers: readonly Filling[],
  left: ReadonlySet<Weekly>,
): { readonly layer: Filling; readonly one: Weekly } | undefined {
  let best: { readonly layer: Filling; readonly one: Weekly } | undefined;
  let least = Infinity;
  for (const layer of layers) {
    for (const one of left) {
      const more = costWith(layer, one) - layer.cost;
      if (more < least) [least, best] = [more, { layer, one }];
    }
  }
  return best;
}

function startLayer(members: Bin): Filling {
  const weeks = members.reduce((all, one) => joinWeeks(all, one.weeks), noWeeks);
  const size = sumOf(members, (one) => one.size);
  return { members: [...members], weeks, size, cost: countWeeks(weeks) * size };
}

function costWith({ weeks, size }: Filling, one: Weekly): number {
  return countJoined(weeks, one.weeks) * (size + one.size);
}

function join(layer: Filling, one: Weekly): void {
  layer.cost = costWith(layer, one);
  layer.members.push(one);
  layer.weeks = joinWeeks(layer.weeks, one.weeks);
  layer.size += one.size;
}
