import { randomUUID } from "node:crypto";
import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { Snapshot } from "./snapshot.ts";

/** Puts a snapshot into its place, whole; a cache that cannot be written is none. */
export function saveSnapshot(path: string, snapshot: Snapshot): void {
  const temporary = `${path}.${randomUUID()}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeSnapshot(temporary, snapshot);
    renameSync(temporary, path);
  } catch {
    removeIfThere(temporary);
  }
}

function removeIfThere(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // What should be a directory is none: nothing was written there.
  }
}

/** Writes it into a new file. Errors: the system's. */
export function writeSnapshot(path: string, snapshot: Snapshot): void {
  const file = openSync(path, "wx", 0o600);
  try {
    for (const piece of snapshot.pieces()) writeWhole(file, piece);
  } finally {
    closeSync(file);
  }
}

function writeWhole(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
}
