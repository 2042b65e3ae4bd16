import { statSync } from "node:fs";
import { dirname } from "node:path";
import type { Digest } from "../oci/oci.ts";
import type { Step } from "../reporter.ts";
import { saveSnapshot, writeSnapshot } from "./cache.ts";
import { trust } from "./entry.ts";
import { type ContextFiles, listFiles } from "./files.ts";
import { findChanges } from "./find-changes.ts";
import { createHelpers } from "./helpers.ts";
import { createMerge, type Merged, type MergeOptions } from "./merge.ts";
import { openKnownNames } from "./known-names.ts";
import { patchSnapshot } from "./patch.ts";
import { openSnapshot, type Snapshot } from "./snapshot.ts";
import { visitTree } from "./visit-tree.ts";
import { planWalk, type WalkOptions, type WalkPlan } from "./walk.ts";

export interface HashOptions extends WalkOptions {
  /**
   * A file that remembers digests from one time to the next; it is made where it is not there. Without
   * one, everything is read.
   */
  readonly cache?: string;
  /** Whether owners count: steps see them, and some copies keep them. */
  readonly withOwners?: boolean | undefined;
  /** What it was a moment ago: what has the same stat as then is not read again. */
  readonly before?: ContextHash | undefined;
  /** Told how many bytes have been read. */
  readonly onProgress?: Step["progress"] | undefined;
}

export interface ContextHash {
  /** Of all that `files` says. */
  readonly digest: Digest;
  readonly files: ContextFiles;
  /** Files whose content was read, because the cache did not know them as they are. */
  readonly read: number;
  /** All that stat(2) said of it, and what was in it: good for `before`. */
  readonly snapshot: Snapshot;
  /** Writes into a new file what `openFiles` reads. Errors: the system's. */
  readonly write: (path: string) => void;
}

/**
 * The digest of a directory's content, modes, links, capabilities and `user.` attributes (of a single file, where it
 * is one): equal on every machine for equal trees. Owners and times are not in it. With a cache only those files are
 * read whose size, mtime, ctime, inode or mode is not what it was, or that changed so shortly before the
 * last time that another change could have left all of these as they were. A file that cannot be read
 * counts with what its inode says. Errors: those of the system, where the directory itself cannot be read.
 */
export async function hashContext(directory: string, options: HashOptions): Promise<ContextHash> {
  const { before, cache } = options;
  const known = before?.snapshot ?? (cache === undefined ? undefined : openSnapshot(cache));
  const merged = await mergeTree(directory, options, known);
  const { snapshot, read } = merged;
  if (before !== undefined && snapshot === before.snapshot) return before;
  if (cache !== undefined && snapshot !== known) saveSnapshot(cache, snapshot);
  return {
    digest: snapshot.digest,
    files: listFiles(snapshot),
    read,
    snapshot,
    write: (path) => writeSnapshot(path, snapshot),
  };
}

async function mergeTree(
  root: string,
  options: HashOptions,
  known: Snapshot | undefined,
): Promise<Merged> {
  const { before, cache, signal, onProgress, withOwners = false } = options;
  const plan = await planWalkOf(root, options);
  const helpers = createHelpers(known?.count);
  // Where there will be much to do, threads start at once.
  if (known !== undefined) void helpers.count(0);
  let bytes = 0;
  const merging: MergeOptions = {
    root,
    known,
    signal,
    withOwners,
    helpers,
    trust: before === undefined ? trust.settled : trust.recent,
    rules: plan.rules,
    startedAt: Date.now(),
    directory: cache === undefined ? undefined : dirname(cache),
    onBytes: (more) => onProgress?.({ bytes: (bytes += more) }),
  };
  try {
    return (await patchTree(merging, plan)) ?? (await walkAll(merging, plan));
  } finally {
    helpers.close();
  }
}

/** undefined where that does not do, because names are others or not known. */
async function patchTree(
  merging: MergeOptions,
  { options, rules }: WalkPlan,
): Promise<Merged | undefined> {
  const { known, withOwners } = merging;
  const isAlike = rules !== undefined && known?.rules === rules && known.withOwners === withOwners;
  const changes = isAlike ? await findChanges(known, { ...merging, options }) : undefined;
  if (changes === undefined || known === undefined) return undefined;
  return changes.length === 0
    ? { snapshot: known, read: 0 }
    : patchSnapshot(known, changes, merging);
}

async function walkAll(merging: MergeOptions, { options, rules }: WalkPlan): Promise<Merged> {
  const { root, known, trust: needed, helpers } = merging;
  const isSame = known !== undefined && rules !== undefined && known.rules === rules;
  const names = isSame ? openKnownNames(root, known, needed) : undefined;
  const merge = createMerge(merging);
  try {
    await visitTree(root, { options, known: names, helpers }, merge.take);
    return await merge.finish();
  } finally {
    merge.close();
  }
}

/** A file is found by itself. */
async function planWalkOf(root: string, options: WalkOptions): Promise<WalkPlan> {
  return statSync(root).isDirectory() ? planWalk(root, options) : { options, rules: undefined };
}
