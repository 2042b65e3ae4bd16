import type { Block } from "./decode-block.ts";
import { compareWalk } from "./order.ts";
import type { Snapshot } from "./snapshot.ts";

/** A place in a snapshot, which moves on as a tree is walked. */
export interface Place {
  /** The block of the entry here; undefined at the end. */
  readonly block: () => Block | undefined;
  /** Which entry of the block. */
  readonly at: () => number;
  /** undefined at the end. */
  readonly path: () => string | undefined;
  readonly moveOn: () => void;
  /** Passes all that stands before a path in the order of the walk. @returns whether it is here */
  readonly goTo: (path: string) => boolean;
  /** Whether it ended before all entries were passed: the rest is damaged. */
  readonly isCut: () => boolean;
}

export function createPlace(snapshot: Snapshot | undefined): Place {
  const blocks = (snapshot?.blocks() ?? [])[Symbol.iterator]();
  const takeBlock = (): Block | undefined => {
    const next = blocks.next();
    return next.done === true ? undefined : next.value;
  };
  let block = takeBlock();
  let at = 0;
  let passed = 0;
  const path = (): string | undefined => block?.pathAt(at);
  const moveOn = (): void => {
    if (block === undefined) return;
    at += 1;
    passed += 1;
    if (at < block.count) return;
    block = takeBlock();
    at = 0;
  };
  return {
    block: () => block,
    at: () => at,
    path,
    moveOn,
    goTo: (wanted) => {
      while (block !== undefined && compareWalk(block.pathAt(block.count - 1), wanted) < 0) {
        passed += block.count - at;
        block = takeBlock();
        at = 0;
      }
      for (let here = path(); here !== undefined; here = path()) {
        if (compareWalk(here, wanted) >= 0) return here === wanted;
        moveOn();
      }
      return false;
    },
    isCut: () => block === undefined && passed < (snapshot?.count ?? 0),
  };
}
