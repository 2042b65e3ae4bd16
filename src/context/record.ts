import { crc32 } from "node:zlib";
import { type Known, openDigest } from "./block-layout.ts";
import type { Block } from "./decode-block.ts";
import { createTreeDigest, hashEntries } from "./describe.ts";
import { chainBlock, encodeBlock } from "./encode-block.ts";
import { createSnapshot, type Snapshot, type Summary } from "./snapshot.ts";
import { createSpool } from "./spool.ts";

/** Writes a snapshot, an entry after the other, in the order of the walk. */
export interface Recording {
  readonly add: (known: Known) => void;
  /** Takes all entries of a block that another snapshot has, with equal `withOwners`. */
  readonly addBlock: (block: Block) => void;
  readonly finish: () => Snapshot;
}

/** How many entries a block has about, and at most. */
const usual = 512;
const most = 16 * usual;

/**
 * Whether a block begins with this path, whatever stands before it: so what is as it was has the same blocks, also where
 * something was added or removed before it, and equal trees have equal ones.
 */
export function beginsBlock(path: string): boolean {
  return crc32(path) % usual === 0;
}

/** Whether another entry would begin a block whatever it is. */
export function isFull({ count }: Pick<Block, "count">): boolean {
  return count === most;
}

/** @param directory where a large one is written, else among the temporary files */
export function recordSnapshot(
  { withOwners, rules }: Pick<Summary, "withOwners" | "rules">,
  directory: string | undefined,
): Recording {
  const digest = createTreeDigest();
  const spool = createSpool(directory);
  let count = 0;
  let checksum = 0;
  let entries: Known[] = [];
  const append = (block: ArrayBuffer): void => {
    digest.addBlock(openDigest(block));
    checksum = chainBlock(block, checksum);
    spool.append(new Uint8Array(block));
  };
  const endBlock = (): void => {
    if (entries.length === 0) return;
    for (const { entry } of entries) if (entry.isLinked) digest.addLinked(entry);
    count += entries.length;
    append(encodeBlock(entries, hashEntries(entries, withOwners)));
    entries = [];
  };
  return {
    add: (known) => {
      if (isFull({ count: entries.length }) || beginsBlock(known.entry.path)) endBlock();
      entries.push(known);
    },
    addBlock: (block) => {
      endBlock();
      for (let at = 0; at < block.count; at += 1)
        if (block.isLinkedAt(at)) digest.addLinked(block.knownAt(at).entry);
      count += block.count;
      append(block.buffer.slice(0));
    },
    finish: () => {
      endBlock();
      return createSnapshot({ digest: digest.finish(), count, withOwners, rules }, spool.finish());
    },
  };
}
