import type { Pattern } from "./patterns.ts";

/**
 * A layer while it is looked for: how many of its patterns change at each step, and the bytes that it would take to push
 * it there.
 */
export class Group {
  readonly members: Pattern[] = [];
  cost = 0;
  readonly #changes: Int32Array;
  readonly #packed: Float64Array;

  constructor(steps: number) {
    this.#changes = new Int32Array(steps);
    this.#packed = new Float64Array(steps);
  }

  add(pattern: Pattern): void {
    this.cost = this.costOf(pattern);
    this.members.push(pattern);
    this.#count(pattern, 1);
  }

  remove(pattern: Pattern): void {
    this.cost = this.costOf(undefined, pattern);
    this.members.splice(this.members.indexOf(pattern), 1);
    this.#count(pattern, -1);
  }

  /** What it would cost in all steps with one pattern more, or without one of its own, or both. */
  costOf(more?: Pattern, less?: Pattern): number {
    let cost = 0;
    for (let step = 0; step < this.#changes.length; step += 1) {
      const changes =
        (this.#changes[step] ?? 0) + (more?.changes[step] ?? 0) - (less?.changes[step] ?? 0);
      if (changes > 0)
        cost += (this.#packed[step] ?? 0) + (more?.packed[step] ?? 0) - (less?.packed[step] ?? 0);
    }
    return cost;
  }

  /** What it would cost if it were one with another. */
  costWith(other: Group): number {
    let cost = 0;
    for (let step = 0; step < this.#changes.length; step += 1) {
      if ((this.#changes[step] ?? 0) + (other.#changes[step] ?? 0) > 0)
        cost += (this.#packed[step] ?? 0) + (other.#packed[step] ?? 0);
    }
    return cost;
  }

  #count({ changes, packed }: Pattern, times: 1 | -1): void {
    for (let step = 0; step < changes.length; step += 1) {
      this.#changes[step] = (this.#changes[step] ?? 0) + times * (changes[step] ?? 0);
      this.#packed[step] = (this.#packed[step] ?? 0) + times * (packed[step] ?? 0);
    }
  }
}
