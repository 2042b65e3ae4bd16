import type { Pattern } from "./patterns.ts";

/** A layer, and for each step whether it changes and its uncompressed bytes behind it. */
interface Layer {
  readonly patterns: readonly Pattern[];
  readonly changes: Uint8Array;
  readonly sizes: Float64Array;
}

/**
 * The layers from the lowest to the topmost, so that little is to be unpacked over all steps: at each all layers from the
 * lowest on that changes. From the fewest changes to the most; then each layer in turn is led by exchanges with its neighbours
 * to where it costs the least, until none gains. A heuristic as well.
 */
export function orderLayers(
  layers: readonly (readonly Pattern[])[],
): readonly (readonly Pattern[])[] {
  const order = layers.map(describe).sort((a, b) => countChanges(a) - countChanges(b));
  const steps = order[0]?.changes.length ?? 0;
  const lowest = Int32Array.from({ length: steps }, (_, step) =>
    order.findIndex(({ changes }) => changes[step] === 1),
  );
  const stack = { order, lowest };
  let isLess = true;
  while (isLess) {
    isLess = false;
    for (const layer of order.slice()) if (place(stack, layer)) isLess = true;
  }
  return order.map(({ patterns }) => patterns);
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
    if (cost < least) [least, best] = [cost, at];
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
  return least < 0;
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
