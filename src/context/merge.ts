import { type CompletionOptions } from "./completion.ts";
import { createCursor } from "./cursor.ts";
import type { Entry, Trust } from "./entry.ts";
import { createRewriting, type Rewriting } from "./rewriting.ts";
import type { Snapshot } from "./snapshot.ts";

export interface MergeOptions extends CompletionOptions {
  /** What is known of the tree from before. */
  readonly known: Snapshot | undefined;
  /** How far an entry of that must be trusted to be believed. */
  readonly trust: Trust;
  readonly withOwners: boolean;
  /** By which rules the tree is walked (`planWalk`). */
  readonly rules: string | undefined;
  /** Where a new snapshot is written, else among the temporary files. */
  readonly directory: string | undefined;
}

export interface Merge {
  /** Takes the entries of a walk in their order; what it returns is to be waited for. */
  readonly take: (entry: Entry) => Promise<void> | undefined;
  readonly finish: () => Promise<Merged>;
  /** Lets go of what it holds. */
  readonly close: () => void;
}

export interface Merged {
  /** What was known before, where nothing changed; else a new one. */
  readonly snapshot: Snapshot;
  /** Files whose content was read. */
  readonly read: number;
}

/**
 * Joins what is found with what is known, both in the order of the walk, so that neither is held. As long as all is as
 * it was nothing is written; from the first change on a snapshot is, with those blocks as they are in which nothing
 * changed.
 */
export function createMerge(options: MergeOptions): Merge {
  const { known, trust, withOwners, rules } = options;
  const cursor = createCursor(known);
  const isAlike = known?.withOwners === withOwners && known.rules === rules;
  let unchanged = isAlike ? known : undefined;
  let passed = 0;
  let rewriting: Rewriting | undefined;
  const begin = (): Rewriting => {
    rewriting ??= createRewriting(options, { cursor, passed });
    unchanged = undefined;
    return rewriting;
  };
  return {
    take: (entry) => {
      if (unchanged === undefined || !cursor.match(entry, trust)) return begin().take(entry);
      passed += 1;
      return undefined;
    },
    finish: async () => {
      const isWhole = passed === unchanged?.count && cursor.isAtEnd();
      return unchanged !== undefined && isWhole
        ? { snapshot: unchanged, read: 0 }
        : begin().finish();
    },
    close: () => rewriting?.close(),
  };
}
