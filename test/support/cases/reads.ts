import type { Slot } from "./draft.ts";
import type { Change } from "./world.ts";

/** A thing that a build reads, and what of it may be changed. */
export interface Read {
  readonly name: string;
  /** The changes' names. */
  readonly changes: readonly string[];
  /** Whether it decides what its stage is built from. */
  readonly needsBase?: boolean;
  /** Whether it stands before OUTPUT alone. */
  readonly isBefore?: boolean;
  /** Writes it into the draft. @returns what makes this change of it */
  readonly write: (slot: Slot, change: string) => Change;
}

/** A read whose changes are a table that it makes when it is written. */
export function tableRead<Names extends string>(
  name: string,
  changes: readonly Names[],
  write: (slot: Slot) => Readonly<Record<Names, Change>>,
  options: Pick<Read, "needsBase" | "isBefore"> = {},
): Read {
  return {
    ...options,
    name,
    changes,
    write: (slot, change) => {
      const made: Readonly<Partial<Record<string, Change>>> = write(slot);
      const found = made[change];
      if (found === undefined) throw new RangeError(`${name} has no change "${change}"`);
      return found;
    },
  };
}
