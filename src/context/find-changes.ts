import { statSync } from "node:fs";
import { createTurns } from "../system/turns.ts";
import type { Block } from "./decode-block.ts";
import { type Entry, kindOf, type Trust } from "./entry.ts";
import type { Helpers } from "./helpers.ts";
import { keepsNames } from "./file-systems.ts";
import { createNameCheck } from "./name-check.ts";
import type { Snapshot } from "./snapshot.ts";
import { createStatQueue } from "./stat-queue.ts";
import { findStatus, isIgnored, listWanted, type WalkOptions } from "./walk.ts";

/** An entry that looks otherwise than it did. */
export interface Change {
  /** Its place among all of the snapshot. */
  readonly at: number;
  readonly entry: Entry;
}

export interface FindOptions {
  readonly root: string;
  /** By the same rules as the snapshot. */
  readonly options: WalkOptions;
  readonly helpers: Helpers;
  readonly trust: Trust;
}

/** More are found by a walk as well, and need no memory there. */
const mostChanges = 8192;

/**
 * What of a known tree has changed, in the order of the walk, without a walk: each path that is known is looked at, and only
 * directories that have changed are listed. undefined where the names may be others, or more has changed than is worth it.
 */
export async function findChanges(
  snapshot: Snapshot,
  find: FindOptions,
): Promise<readonly Change[] | undefined> {
  const { root, options, helpers } = find;
  if (!keepsNames(root)) return undefined;
  const wanted = new Set(listWanted(options.only));
  const look = createLook(find, wanted.has(""));
  const queue = createStatQueue({ root, helpers, take: look.take });
  const turn = createTurns(options.signal);
  wanted.delete("");
  for (const block of snapshot.blocks()) {
    look.expect(block);
    for (let at = 0; at < block.count; at += 1) {
      const path = block.pathAt(at);
      if (wanted.size > 0) wanted.delete(path);
      const wait = queue.add(path) ?? turn();
      if (wait !== undefined) await wait;
      if (look.isOver()) return undefined;
    }
  }
  await queue.finish();
  const isWhole = look.count() === snapshot.count;
  const hasMore = [...wanted].some((path) => isThere(path, find));
  return isWhole && !hasMore ? look.finish() : undefined;
}

/** Of what was not there before. */
function isThere(path: string, { root, options }: FindOptions): boolean {
  return !isIgnored(options, path) && findStatus(root, path) !== undefined;
}

/** Compares entries that come in the order of the walk with those of blocks. */
interface Look {
  readonly expect: (block: Block) => void;
  readonly take: (entry: Entry) => undefined;
  /** Whether names are others, or there are too many changes. */
  readonly isOver: () => boolean;
  /** How many entries were found. */
  readonly count: () => number;
  readonly finish: () => readonly Change[] | undefined;
}

/** @param fromRoot whether all of the root is looked at */
function createLook({ root, options, trust }: FindOptions, fromRoot: boolean): Look {
  const device = statSync(root).dev >>> 0;
  const names = createNameCheck(root, options);
  const blocks: Block[] = [];
  const changes: Change[] = [];
  let [at, count] = [0, 0];
  let isOver = false;
  let directory: string | undefined;
  // It has an entry of its own only where that is asked for.
  if (fromRoot) names.open("");
  /** One that had no names may have been one that nobody was allowed to read. */
  const passDirectory = (next: string | undefined): void => {
    if (directory !== undefined && next?.startsWith(`${directory}/`) !== true)
      names.open(directory);
    directory = undefined;
  };
  /** Whether something is as it was, or changed without another name. */
  const compare = (entry: Entry, block: Block): boolean => {
    const isDirectory = kindOf(entry) === "directory";
    // Another file system may be mounted there.
    if (isDirectory && entry.dev !== device) return false;
    const isSame = block.isSame(at, entry, trust);
    if (isDirectory && entry.path !== "") {
      if (isSame) directory = entry.path;
      else names.open(entry.path);
    }
    return isSame || changes.push({ at: count, entry }) <= mostChanges;
  };
  return {
    expect: (block) => void blocks.push(block),
    take: (entry) => {
      const [block] = blocks;
      if (isOver || block === undefined) return;
      passDirectory(entry.path);
      const isAlike =
        block.pathAt(at) === entry.path && kindOf({ mode: block.modeAt(at) }) === kindOf(entry);
      isOver = !isAlike || !(entry.path === "" || names.take(entry)) || !compare(entry, block);
      count += 1;
      at += 1;
      if (at < block.count) return;
      blocks.shift();
      at = 0;
    },
    isOver: () => isOver,
    count: () => count,
    finish: () => {
      passDirectory(undefined);
      return isOver || !names.finish() ? undefined : changes;
    },
  };
}
