import { createHash, randomBytes } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { kindOf } from "./entry.ts";
import type { Snapshot } from "./snapshot.ts";

/*
 * Builders keep the files that they were sent, and are sent anew those alone whose path, size or time is another one. A
 * file that changed and has all three as before (a tree with one time for all, `touch -d`, `cp -p`) would stay what it was.
 */

/** Bytes of a number that stands for a generation, of one for a look, and of one for a content. */
const [generationBytes, markBytes] = [8, 8];
/** More marks are not kept: then a new generation begins. */
const mostMarks = 4_000_000;

/**
 * Writes down what is sent now. @returns what is the same as long as nobody can take a file for what it was before: what
 * is sent under that name is right. Where nothing can be written down it is another one each time.
 */
export function recordSent(path: string, snapshots: readonly Snapshot[]): string {
  const known = readRecord(path);
  const now = listMarks(snapshots);
  const isDisguised = [...now].some(([look, content]) => {
    const before = known?.marks.get(look);
    return before !== undefined && before !== content;
  });
  const isKept = known !== undefined && !isDisguised && known.marks.size + now.size <= mostMarks;
  const generation = isKept ? known.generation : randomName();
  const marks = isKept ? new Map([...known.marks, ...now]) : now;
  if (isKept && marks.size === known.marks.size) return generation;
  return writeRecord(path, { generation, marks }) ? generation : randomName();
}

/** What was sent may not be what was looked at: the next time all is sent anew. */
export function forgetSent(path: string): void {
  rmSync(path, { force: true });
}

function randomName(): string {
  return randomBytes(generationBytes).toString("hex");
}

interface SentRecord {
  readonly generation: string;
  /** By what a builder looks at, what was in it: both shortened. */
  readonly marks: ReadonlyMap<string, string>;
}

function listMarks(snapshots: readonly Snapshot[]): ReadonlyMap<string, string> {
  const marks = new Map<string, string>();
  for (const snapshot of snapshots) {
    for (const block of snapshot.blocks()) {
      for (let at = 0; at < block.count; at += 1) {
        const { entry, content } = block.knownAt(at);
        if (kindOf(entry) !== "file") continue;
        const look = shorten(`${entry.path}\0${entry.size}\0${entry.mtimeMs}`);
        marks.set(look, shorten(content));
      }
    }
  }
  return marks;
}

function shorten(text: string): string {
  return createHash("sha1").update(text).digest().toString("latin1", 0, markBytes);
}

function readRecord(path: string): SentRecord | undefined {
  let bytes: string;
  try {
    bytes = readFileSync(path, "latin1");
  } catch {
    // There is none yet, or it cannot be read: then a new generation begins.
    return undefined;
  }
  if (bytes.length % (2 * markBytes) !== generationBytes) return undefined;
  const marks = new Map<string, string>();
  for (let at = generationBytes; at < bytes.length; at += 2 * markBytes)
    marks.set(bytes.slice(at, at + markBytes), bytes.slice(at + markBytes, at + 2 * markBytes));
  return {
    generation: Buffer.from(bytes.slice(0, generationBytes), "latin1").toString("hex"),
    marks,
  };
}

function writeRecord(path: string, { generation, marks }: SentRecord): boolean {
  const unfinished = `${path}.${randomName()}`;
  const pairs = [...marks].map(([look, content]) => look + content).join("");
  try {
    writeFileSync(
      unfinished,
      Buffer.concat([Buffer.from(generation, "hex"), Buffer.from(pairs, "latin1")]),
      {
        mode: 0o600,
      },
    );
    renameSync(unfinished, path);
    return true;
  } catch {
    rmSync(unfinished, { force: true });
    return false;
  }
}
