import type { Block } from "./decode-block.ts";
import type { Entry, Trust } from "./entry.ts";
import { createPlace } from "./place.ts";
import type { Snapshot } from "./snapshot.ts";

/** What a snapshot says of entries that are asked for in the order of the walk. */
export interface Cursor {
  /** What is known of an entry: whatever stands before it is passed. */
  readonly find: (entry: Entry, trust: Trust) => string | undefined;
  /** Moves on where it stands at this very entry, unchanged. */
  readonly match: (entry: Entry, trust: Trust) => boolean;
  /** The block that it stands at the beginning of. */
  readonly nextBlock: () => Block | undefined;
  readonly isAtEnd: () => boolean;
}

export function createCursor(snapshot: Snapshot | undefined): Cursor {
  const place = createPlace(snapshot);
  const isSame = (entry: Entry, trust: Trust): boolean =>
    place.path() === entry.path && place.block()?.isSame(place.at(), entry, trust) === true;
  return {
    isAtEnd: () => place.block() === undefined,
    nextBlock: () => (place.at() === 0 ? place.block() : undefined),
    match: (entry, trust) => {
      const matches = isSame(entry, trust);
      if (matches) place.moveOn();
      return matches;
    },
    find: (entry, trust) => {
      place.goTo(entry.path);
      return isSame(entry, trust) ? place.block()?.contentAt(place.at()) : undefined;
    },
  };
}
