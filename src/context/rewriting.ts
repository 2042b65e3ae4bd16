import { createTurns } from "../system/turns.ts";
import { createCompletion } from "./completion.ts";
import type { Cursor } from "./cursor.ts";
import type { Block } from "./decode-block.ts";
import type { Entry } from "./entry.ts";
import type { Merge, MergeOptions } from "./merge.ts";
import { beginsBlock, isFull, recordSnapshot } from "./record.ts";

/** Writes a new snapshot, of what is found and of what is known. */
export type Rewriting = Merge;

/** A known block whose entries have been found again, unchanged, so far. */
interface Held {
  readonly block: Block;
  readonly matched: number;
}

/**
 * A known block is taken as it is where each of its entries was found again and a block begins behind it: so blocks are the
 * same whichever way a tree became what it is.
 * @param from where the cursor stands, and how many entries have been passed on the way
 */
export function createRewriting(
  options: MergeOptions,
  { cursor, passed }: { readonly cursor: Cursor; readonly passed: number },
): Rewriting {
  const { known, trust, withOwners, directory } = options;
  const recording = recordSnapshot(options, directory);
  const completion = createCompletion(options, recording.add);
  // Digests of blocks that say otherwise who owns what are others.
  const canCopy = known?.withOwners === withOwners;
  let held = passBlocks(canCopy ? known.blocks() : [], passed, recording.addBlock);

  /** Whether the entry is the first of a known block, unchanged; then that is held. */
  const hold = (entry: Entry): boolean => {
    const block = canCopy ? cursor.nextBlock() : undefined;
    const isHeld = block !== undefined && cursor.match(entry, trust);
    held = isHeld ? { block, matched: 1 } : undefined;
    return isHeld;
  };
  const add = (entry: Entry): Promise<void> | undefined => {
    const content = cursor.find(entry, trust);
    // Only what begins a block by itself does so behind whatever stands before it now.
    return beginsBlock(entry.path) && hold(entry) ? undefined : completion.add(entry, content);
  };
  const copy = async ({ block }: Held): Promise<void> => {
    await completion.flush();
    recording.addBlock(block);
  };
  const letGo = async ({ block, matched }: Held): Promise<void> => {
    const turn = createTurns();
    held = undefined;
    for (let at = 0; at < matched; at += 1) {
      const { entry, content } = block.knownAt(at);
      await (completion.add(entry, content) ?? turn());
    }
  };
  const takeBehind = async (before: Held, entry: Entry): Promise<void> => {
    const isFollowed = isFull(before.block) || beginsBlock(entry.path);
    if (!isWhole(before) || !isFollowed) {
      await letGo(before);
    } else {
      await copy(before);
      if (hold(entry)) return;
    }
    await add(entry);
  };
  return {
    take: (entry) => {
      if (held === undefined) return add(entry);
      if (isWhole(held) || !cursor.match(entry, trust)) return takeBehind(held, entry);
      held = { ...held, matched: held.matched + 1 };
      return undefined;
    },
    finish: async () => {
      if (held !== undefined) await (isWhole(held) ? copy : letGo)(held);
      const read = await completion.finish();
      return { snapshot: recording.finish(), read };
    },
    close: () => completion.close(),
  };
}

function isWhole({ block, matched }: Held): boolean {
  return matched === block.count;
}

/** Hands on the first blocks, of that many entries. @returns the last of them, of which it is not known what follows */
function passBlocks(
  blocks: Iterable<Block>,
  count: number,
  handOn: (block: Block) => void,
): Held | undefined {
  let left = count;
  for (const block of blocks) {
    if (left <= block.count) return { block, matched: left };
    handOn(block);
    left -= block.count;
  }
  return undefined;
}
