import type { Crew } from "./crew.ts";
import { type Entry, statFields, toEntry } from "./entry.ts";
import type { Helpers } from "./helpers.ts";
import { hasLoneSurrogate } from "./names.ts";
import { findStatus } from "./walk.ts";

/** Is given each entry; what it returns is waited for before the next one comes. */
export type Take = (entry: Entry) => Promise<void> | undefined;

export interface StatQueueOptions {
  readonly root: string;
  readonly helpers: Helpers;
  readonly take: Take;
}

/** Asks stat(2) of paths, of many ahead and side by side, and hands the entries on in the paths' order. */
export interface StatQueue {
  /**
   * @param entry what lstat(2) has just said, where it was asked already
   * @returns what is to be waited for before the next one comes
   */
  readonly add: (path: string, entry?: Entry) => Promise<void> | undefined;
  readonly finish: () => Promise<void>;
}

/** Paths that a thread is asked of at once. */
const batchSize = 256;

export function createStatQueue(options: StatQueueOptions): StatQueue {
  let ahead: StatQueue | undefined;
  let count = 0;
  const grow = async (wait: Promise<void> | undefined): Promise<void> => {
    await wait;
    const crew = await options.helpers.count(batchSize);
    if (crew !== undefined) ahead = lookAhead(options, crew);
  };
  return {
    add: (path, entry) => {
      if (ahead !== undefined) return ahead.add(path);
      const found = entry ?? findEntry(options.root, path);
      const wait = found === undefined ? undefined : options.take(found);
      count += 1;
      return count % batchSize === 0 ? grow(wait) : wait;
    },
    finish: async () => ahead?.finish(),
  };
}

/** undefined for what has gone. Errors: the system's. */
function findEntry(root: string, path: string): Entry | undefined {
  const status = findStatus(root, path);
  return status === undefined ? undefined : toEntry(path, status);
}

interface Batch {
  readonly paths: readonly string[];
  /** Where a thread is asked: when it has answered. */
  asked?: Promise<void>;
  /** What stat(2) said of each path, when it is known. */
  fields?: Float64Array | undefined;
}

/** Batches that a thread is asked of before it has answered, so that it need not wait. */
const askedAtOnce = 2;

function lookAhead({ root, take }: StatQueueOptions, crew: Crew): StatQueue {
  const window: Batch[] = [];
  let paths: string[] = [];
  let asked = 0;
  const ask = async (batch: Batch): Promise<void> => {
    asked += 1;
    // What no thread could say is asked here.
    batch.fields = await crew
      .stat({ root, paths: batch.paths.join("\0") })
      .catch(() => new Float64Array());
    asked -= 1;
    askMore();
  };
  const askMore = (): void => {
    for (const batch of window) {
      if (asked >= crew.size() * askedAtOnce) return;
      if (batch.asked === undefined && !batch.paths.some(hasLoneSurrogate))
        batch.asked = ask(batch);
    }
  };
  const endBatch = (): void => {
    window.push({ paths });
    paths = [];
    askMore();
  };
  /** The first batch that is known, or that nobody was asked of. */
  const takeFirst = async (): Promise<void> => {
    const first = window.shift();
    if (first === undefined) return;
    await first.asked;
    for (const [at, path] of first.paths.entries()) {
      const entry = readFields(path, first.fields, at) ?? findEntry(root, path);
      const wait = entry === undefined ? undefined : take(entry);
      if (wait !== undefined) await wait;
    }
  };
  return {
    add: (path) => {
      if (paths.push(path) < batchSize) return undefined;
      endBatch();
      return window.length > crew.size() * askedAtOnce * 2 ? takeFirst() : undefined;
    },
    finish: async () => {
      endBatch();
      while (window.length > 0) await takeFirst();
    },
  };
}

function readFields(
  path: string,
  fields: Float64Array | undefined,
  index: number,
): Entry | undefined {
  const first = index * statFields.length;
  const field = (at: number): number => fields?.[first + at] ?? Number.NaN;
  const mode = field(0);
  if (Number.isNaN(mode)) return undefined;
  return toEntry(path, {
    mode,
    uid: field(1),
    gid: field(2),
    dev: field(3),
    ino: field(4),
    size: field(5),
    mtimeMs: field(6),
    ctimeMs: field(7),
    nlink: field(8),
  });
}
