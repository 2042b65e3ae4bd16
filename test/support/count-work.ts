/** What a call of a built-in function costs at least, by its receiver and arguments: characters, bytes or items. */
type Cost = (self: { readonly length: number }, args: readonly unknown[]) => number;

const whole: Cost = ({ length }) => length;
const range: Cost = ({ length }, [, start, end]) =>
  Math.max(0, Math.min(Number(end ?? length), length) - Number(start ?? 0));
const given: Cost = (_self, [value]) =>
  typeof value === "string" || value instanceof Uint8Array ? value.length : 0;

const counted: readonly (readonly [owner: object, name: string, cost: Cost])[] = [
  [String.prototype, "split", whole],
  [String.prototype, "trim", whole],
  [String.prototype, "replaceAll", whole],
  [Array.prototype, "sort", whole],
  [Array.prototype, "find", whole],
  [Array.prototype, "includes", whole],
  [Array.prototype, "concat", whole],
  [Array.prototype, "every", whole],
  [Array.prototype, "some", whole],
  [Buffer.prototype, "toString", range],
  [Buffer, "from", given],
];

/**
 * How much a synchronous action makes the built-in functions convert, split, sort and search: a count that no
 * clock and no load changes. For inputs of n and 10n it tells linear work from quadratic.
 */
function countWork(action: () => unknown): number {
  let work = 0;
  const restore = counted.map(([owner, name, cost]) => {
    const original: unknown = Reflect.get(owner, name);
    if (typeof original !== "function") throw new TypeError(`there is no ${name} to count`);
    const count = function count(this: { readonly length: number }, ...args: unknown[]): unknown {
      work += cost(this, args);
      return Reflect.apply(original, this, args);
    };
    Object.defineProperty(owner, name, { value: count, configurable: true, writable: true });
    return () =>
      Object.defineProperty(owner, name, { value: original, configurable: true, writable: true });
  });
  try {
    action();
  } finally {
    for (const undo of restore) undo();
  }
  return work;
}

/** By how much the work grows where the input grows tenfold: about 10 where it is linear, 100 where quadratic. */
export function measureGrowth(actionFor: (size: number) => () => unknown, size: number): number {
  const [small, large] = [actionFor(size), actionFor(10 * size)];
  return countWork(large) / countWork(small);
}
