import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isDigest, tryParseJson, type Digest } from "../../oci/oci.ts";
import { ifPresent } from "../../system/errno.ts";
import type { Store } from "../layout/paths.ts";

/** What a later run must clean up if the run that wrote this down is killed. */
export interface Note {
  readonly key: string;
  readonly value: string;
}

/** Adds a note to those of a run. */
export async function appendNote(directory: string, { key, value }: Note): Promise<void> {
  await appendFile(notesPath(directory), `${JSON.stringify([key, value])}\n`, { mode: 0o600 });
}

/** The notes of a run in the order in which they were written. */
export async function readNotes(directory: string): Promise<readonly Note[]> {
  const text = (await ifPresent(readFile(notesPath(directory), "utf8"))) ?? "";
  return text.split("\n").flatMap(parseNote);
}

/** The last line may be cut short: its writer died, and what it was about had not begun. */
function parseNote(line: string): readonly Note[] {
  const note = tryParseJson(line);
  const [key, value]: readonly unknown[] = Array.isArray(note) ? note : [];
  return typeof key === "string" && typeof value === "string" ? [{ key, value }] : [];
}

/** Holds an image for a run. Needs the store's lock, so that no prune is between the image and its hold. */
export async function writeHold(directory: string, manifest: Digest): Promise<void> {
  await appendFile(holdsPath(directory), `${manifest}\n`, { mode: 0o600 });
}

/** The manifests that a run holds. */
export async function listHolds(directory: string): Promise<readonly Digest[]> {
  const text = await ifPresent(readFile(holdsPath(directory), "utf8"));
  return (text ?? "").split("\n").filter((line) => isDigest(line));
}

/**
 * Removes a directory of a run. Something left behind may still write there, or the user may be in a hurry: no reason
 * to fail, and the store is told.
 */
export async function removeWork(store: Store, directory: string): Promise<void> {
  // A build that is up to date has no run, and loads nothing of this.
  const { removeTree } = await import("../../system/remove-tree.ts");
  const reason = await removeTree(directory, { signal: store.signal });
  if (reason !== undefined) store.onLeftover?.(directory, reason);
}

function notesPath(directory: string): string {
  return join(directory, "notes");
}

function holdsPath(directory: string): string {
  return join(directory, "holds");
}
