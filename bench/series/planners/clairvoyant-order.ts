import type { Pattern } from "./patterns.ts";

/** Bytes. What gains less may be an error of rounding, and be gained again and again. */
const enough = 0.001;

/** A layer, and for each step whether it changes and its uncompressed bytes behind it. */
interface Layer {
  readonly patterns: readonly Pattern[];
  readonly changes: Uint8Array;
  readonly sizes: Float64Array;
}

/**
 * The layers from the lowest to the topmost, so that little is to be unpacked over all steps: at each all layers from the
 * lowest on that changes. From two beginnings (the fewest changes first; the least to unpack more for a layer's bytes first)
 * each layer in turn is led by exchanges with its neighbours to where it costs the least, until none gains; the better end
 * counts. A heuristic as well.
 */
export function orderLayers(
  layers: readonly (readonly Pattern[])[],
): readonly (readonly Pattern[])[] {
  const all = layers.map(describe);
  const ends = [all.toSorted((a, b) => countChanges(a) - countChanges(b)), stackGreedily(all)].map(
    settle,
  );
  const [best] = ends.sort((a, b) => countUnpacked(a) - countUnpacked(b));
  return (best ?? []).map(({ patterns }) => patterns);
}

function settle(start: readonly Layer[]): readonly Layer[] {
  const order = start.slice();
  const steps = order[0]?.changes.length ?? 0;
  const lowest = Int32Array.from({ length: steps }, (_, step) => findLowest(order, step));
  const stack = { order, lowest };
  let isLess = true;
  while (isLess) {
    isLess = false;
    for (const layer of order.slice()) if (place(stack, layer)) isLess = true;
  }
  return order;
}

function findLowest(order: readonly Layer[], step: number): number {
  return order.findIndex(({ changes }) => changes[step] === 1);
}

function countUnpacked(order: readonly Layer[]): number {
  let bytes = 0;
  for (let step = 0; step < (order[0]?.changes.length ?? 0); step += 1) {
    const lowest = findLowest(order, step);
    const unpacked = lowest === -1 ? [] : order.slice(lowest);
    for (const { sizes } of unpacked) bytes += sizes[step] ?? 0;
  }
  return bytes;
}

/** From the bottom: the layer next that makes the others unpacked in the fewest steps more, for the bytes it has. */
function stackGreedily(layers: readonly Layer[]): readonly Layer[] {
  const left = new Set(layers);
  const order: Layer[] = [];
  const open = new Uint8Array(layers[0]?.changes.length ?? 0);
  const sum = (of: (step: number) => number): number =>
    open.reduce((all, isOpen, step) => all + (isOpen === 1 ? 0 : of(step)), 0);
  while (left.size > 0) {
    const others = [...left];
    const rest = Float64Array.from(open, (_, step) =>
      others.reduce((all, { sizes }) => all + (sizes[step] ?? 0), 0),
    );
    const rate = ({ changes, sizes }: Layer): number =>
      sum((step) => (changes[step] === 1 ? (rest[step] ?? 0) : 0)) /
      Math.max(
        1,
        sum((step) => sizes[step] ?? 0),
      );
    const rates = new Map(others.map((layer) => [layer, rate(layer)]));
    const next = others.reduce((best, one) =>
      (rates.get(one) ?? 0) < (rates.get(best) ?? 0) ? one : best,
    );
    left.delete(next);
    order.push(next);
    for (const [step, change] of next.changes.entries()) if (change === 1) open[step] = 1;
  }
  return order;
}

function describe(patterns: readonly Pattern[]): Layer {
  const steps = patterns[0]?.changes.length ?? 0;
  const each = Array.from({ length: steps }, (_, step) => step);
  return {
    patterns,
    changes: Uint8Array.from(each, (step) =>
      Math.max(...patterns.map((one) => one.changes[step] ?? 0)),
    ),
    sizes: Float64Array.from(each, (step) =>
      patterns.reduce((sum, one) => sum + (one.sizes[step] ?? 0), 0),
    ),
  };
}

function countChanges({ changes }: Layer): number {
  return changes.reduce((sum, change) => sum + change, 0);
}

interface Stack {
  readonly order: Layer[];
  /** For each step the place of the lowest layer that changes; -1 where none does. */
  readonly lowest: Int32Array;
}

/** Leads a layer down to the bottom, up to the top, and back to the best place between. Whether that is a better one. */
function place(stack: Stack, layer: Layer): boolean {
  const start = stack.order.indexOf(layer);
  let [cost, least, best] = [0, 0, start];
  const visit = (at: number): void => {
    if (cost < least - enough) [least, best] = [cost, at];
  };
  for (let at = start; at > 0; at -= 1) {
    cost += exchange(stack, at - 1);
    visit(at - 1);
  }
  for (let at = 0; at < stack.order.length - 1; at += 1) {
    cost += exchange(stack, at);
    visit(at + 1);
  }
  for (let at = stack.order.length - 1; at > best; at -= 1) exchange(stack, at - 1);
  return least < -enough;
}

/** Exchanges the layer at a place with the one above. Gives how many bytes more that unpacks. */
function exchange({ order, lowest }: Stack, at: number): number {
  const [below, above] = [order[at], order[at + 1]];
  if (below === undefined || above === undefined) return 0;
  let more = 0;
  for (let step = 0; step < lowest.length; step += 1) {
    if (lowest[step] === at && above.changes[step] === 0) {
      more -= above.sizes[step] ?? 0;
      lowest[step] = at + 1;
    } else if (lowest[step] === at + 1) {
      more += below.sizes[step] ?? 0;
      lowest[step] = at;
    }
  }
  [order[at], order[at + 1]] = [above, below];
  return more;
}
