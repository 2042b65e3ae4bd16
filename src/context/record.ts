import { encodeBlock } from "./encode-block.ts";
import { checksumWord, type Known, openHead } from "./block-layout.ts";

import { createDescriber, createTreeDigest } from "./describe.ts";
import { createSnapshot, type Snapshot, type Summary } from "./snapshot.ts";
import { createSpool } from "./spool.ts";

/** Writes a snapshot, an entry after the other, in the order of the walk. */
export interface Recording {
  readonly add: (known: Known) => void;
  readonly finish: () => Snapshot;
}

const entriesOfBlock = 1024;

/** @param directory where a large one is written, else among the temporary files */
export function recordSnapshot(
  { withOwners, rules }: Pick<Summary, "withOwners" | "rules">,
  directory: string | undefined,
): Recording {
  const describe = createDescriber(withOwners);
  const digest = createTreeDigest();
  const spool = createSpool(directory);
  let count = 0;
  let checksum = 0;
  let entries: Known[] = [];
  const endBlock = (): void => {
    if (entries.length === 0) return;
    const block = encodeBlock(entries, checksum);
    checksum = openHead(block)[checksumWord] ?? 0;
    spool.append(new Uint8Array(block));
    entries = [];
  };
  return {
    add: (known) => {
      digest.add(known.entry.path, describe(known));
      count += 1;
      if (entries.push(known) === entriesOfBlock) endBlock();
    },
    finish: () => {
      endBlock();
      return createSnapshot({ digest: digest.finish(), count, withOwners, rules }, spool.finish());
    },
  };
}
