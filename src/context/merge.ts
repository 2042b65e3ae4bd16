import { createTurns } from "../system/turns.ts";
import { type Completion, type CompletionOptions, createCompletion } from "./completion.ts";
import { createCursor } from "./cursor.ts";
import type { Entry, Trust } from "./entry.ts";
import { type Recording, recordSnapshot } from "./record.ts";
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
 * it was nothing is written; from the first change on a snapshot is written anew, first with what was passed until then.
 */
export function createMerge(options: MergeOptions): Merge {
  const { known, trust, withOwners, rules } = options;
  const cursor = createCursor(known);
  const isAlike = known?.withOwners === withOwners && known.rules === rules;
  let unchanged = isAlike ? known : undefined;
  let passed = 0;
  let changing: Changing | undefined;
  const begin = async (): Promise<Changing> => {
    changing = startChanging(options);
    if (unchanged !== undefined) await replay(unchanged, passed, changing);
    unchanged = undefined;
    return changing;
  };
  const add = (entry: Entry, { completion }: Changing): Promise<void> | undefined =>
    completion.add(entry, cursor.find(entry, trust));
  return {
    take: (entry) => {
      if (changing !== undefined) return add(entry, changing);
      if (unchanged === undefined || !cursor.match(entry, trust))
        return begin().then((begun) => add(entry, begun));
      passed += 1;
      return undefined;
    },
    finish: async () => {
      const isWhole = unchanged !== undefined && passed === unchanged.count && cursor.isAtEnd();
      if (isWhole && changing === undefined && unchanged) return { snapshot: unchanged, read: 0 };
      const { completion, recording } = changing ?? (await begin());
      const read = await completion.finish();
      return { snapshot: recording.finish(), read };
    },
    close: () => changing?.completion.close(),
  };
}

interface Changing {
  readonly recording: Recording;
  readonly completion: Completion;
}

function startChanging(options: MergeOptions): Changing {
  const recording = recordSnapshot(options, options.directory);
  return { recording, completion: createCompletion(options, recording.add) };
}

/** Its first entries once more. */
async function replay(
  { blocks }: Snapshot,
  count: number,
  { completion }: Changing,
): Promise<void> {
  const turn = createTurns();
  let left = count;
  for (const block of blocks()) {
    for (let at = 0; at < block.count && left > 0; at += 1) {
      const { entry, content } = block.knownAt(at);
      await (completion.add(entry, content) ?? turn());
      left -= 1;
    }
    if (left === 0) return;
  }
}
