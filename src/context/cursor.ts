import type { Block } from "./decode-block.ts";
import type { Entry, Trust } from "./entry.ts";
import { compareWalk } from "./order.ts";
import type { Snapshot } from "./snapshot.ts";

/** A place in a snapshot, which moves on as a tree is walked. */
export interface Cursor {
  /**
   * What is known of an entry: whatever stands before it is passed. Entries are asked for in the order of the walk.
   */
  readonly find: (entry: Entry, trust: Trust) => string | undefined;
  /** Moves on where it stands at this very entry, unchanged. */
  readonly match: (entry: Entry, trust: Trust) => boolean;
  readonly isAtEnd: () => boolean;
}

export function createCursor(snapshot: Snapshot | undefined): Cursor {
  const blocks = (snapshot?.blocks() ?? [])[Symbol.iterator]();
  const takeBlock = (): Block | undefined => {
    const next = blocks.next();
    return next.done === true ? undefined : next.value;
  };
  let block = takeBlock();
  let at = 0;
  const moveOn = (): void => {
    at += 1;
    if (block === undefined || at < block.count) return;
    block = takeBlock();
    at = 0;
  };
  return {
    isAtEnd: () => block === undefined,
    match: (entry, trust) => {
      const isSame = block?.pathAt(at) === entry.path && block.isSame(at, entry, trust);
      if (isSame) moveOn();
      return isSame;
    },
    find: (entry, trust) => {
      const isBefore = (): boolean =>
        block !== undefined && compareWalk(block.pathAt(at), entry.path) < 0;
      while (isBefore()) moveOn();
      const isSame = block?.pathAt(at) === entry.path && block.isSame(at, entry, trust);
      return isSame ? block?.contentAt(at) : undefined;
    },
  };
}
