import { hash } from "node:crypto";
import { statSync } from "node:fs";
import { columns, type Columns, openColumns, trustShift } from "./block-layout.ts";
import { kindOf, trust } from "./entry.ts";
import { keepsNames } from "./file-systems.ts";
import type { Snapshot } from "./snapshot.ts";

/** A directory, and what stands for all that stat(2) said of it and of what is below it. */
export interface MarkedTree {
  /** As stat(2) numbers them. */
  readonly dev: number;
  readonly ino: number;
  /** 32 hex digits: another one whenever anything there has changed. */
  readonly mark: string;
}

/** Of a larger tree nothing is told: it is not worth the memory. */
const mostEntries = 65_536;
/** Directories below so many others have no mark of their own. */
const deepest = 6;
/** What stat(2) says of an entry, beside its name: a directory's times tell of the names in it. */
const entryBytes = columns * (Float64Array.BYTES_PER_ELEMENT + Uint32Array.BYTES_PER_ELEMENT);

/**
 * The directories of a tree of which all is settled, by what a look has found: those of one file system that gives a
 * directory another ctime whenever a name in it changes. Whoever sees the same directory may take its word for what is below.
 */
export function markTrees(root: string, { snapshot, isWhole }: LookedAt): readonly MarkedTree[] {
  if (snapshot.count > mostEntries || !keepsNames(root)) return [];
  const device = statSync(root).dev >>> 0;
  const bytes = Buffer.alloc(snapshot.count * entryBytes);
  const trees: MarkedTree[] = [];
  const open: OpenTree[] = [];
  let [at, lastUnsure] = [0, -1];
  const closeUnless = (path: string | undefined): void => {
    for (let last = open.at(-1); last && !isBelow(path, last.path); last = open.at(-1)) {
      open.pop();
      const { first, ino } = last;
      if (first <= lastUnsure) continue;
      const all = bytes.subarray(first * entryBytes, at * entryBytes);
      trees.push({ dev: device, ino, mark: hash("sha256", all, "hex").slice(0, 32) });
    }
  };
  for (const block of snapshot.blocks()) {
    const { doubles, words } = openColumns(block.buffer, block.count);
    copyEntries({ doubles, words }, bytes.subarray(at * entryBytes));
    for (let index = 0; index < block.count; index += 1, at += 1) {
      const path = block.pathAt(index);
      closeUnless(path);
      const [marked = 0, , , dev] = words.subarray(index * columns, (index + 1) * columns);
      if (marked >> trustShift !== trust.settled || dev !== device) lastUnsure = at;
      const isDirectory = kindOf({ mode: block.modeAt(index) }) === "directory";
      const ino = doubles[index * columns + 3] ?? 0;
      const isKnown = path !== "" || isWhole;
      if (isDirectory && isKnown && countParts(path) <= deepest)
        open.push({ path, ino, first: at });
    }
  }
  closeUnless(undefined);
  // A snapshot of which a part cannot be read tells of none.
  return at === snapshot.count ? trees : [];
}

interface LookedAt {
  readonly snapshot: Snapshot;
  /** Whether all of the root was looked at: else it is no tree of which all is known. */
  readonly isWhole: boolean;
}

interface OpenTree {
  readonly path: string;
  readonly ino: number;
  /** The place of its own entry among all. */
  readonly first: number;
}

/** Doubles, then words, of each entry: in one piece for all that is below a directory. */
function copyEntries({ doubles, words }: Pick<Columns, "doubles" | "words">, target: Buffer): void {
  const [left, right] = [viewBytes(doubles), viewBytes(words)];
  const [leftBytes, rightBytes] = [
    columns * doubles.BYTES_PER_ELEMENT,
    columns * words.BYTES_PER_ELEMENT,
  ];
  for (let index = 0; index * leftBytes < left.length; index += 1) {
    const start = index * entryBytes;
    left.copy(target, start, index * leftBytes, (index + 1) * leftBytes);
    right.copy(target, start + leftBytes, index * rightBytes, (index + 1) * rightBytes);
  }
}

function viewBytes({ buffer, byteOffset, byteLength }: Float64Array | Uint32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function isBelow(path: string | undefined, directory: string): boolean {
  return path !== undefined && (directory === "" || path.startsWith(`${directory}/`));
}

function countParts(path: string): number {
  return path === "" ? 0 : path.split("/").length;
}
