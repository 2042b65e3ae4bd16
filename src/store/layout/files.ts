import { randomUUID } from "node:crypto";
import { link, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import pLimit from "p-limit";
import { systemCode } from "../../system/errno.ts";
import { identifyOwnProcess } from "../../system/process-identity.ts";
import { temporaryDirectory, type Store } from "./paths.ts";

/** Blobs are laid out for every user of a container, whatever the umask is; the store's directory keeps others out. */
export const blobMode = 0o644;
const documentMode = 0o600;

/** A file that is to be in the store. */
export interface NewFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Permission bits; of documents that are for their owner alone, unless given. */
  readonly mode?: number;
  /** Whether it must outlast a power failure the moment that it is written. */
  readonly isDurable?: boolean;
}

/**
 * Puts a file in its place at once: readers see the old one or the new one, whole. The directory entry
 * is durable only after `syncDirectory`.
 */
export async function writeAtomically(store: Store, file: NewFile): Promise<void> {
  const temporary = await writeTemporary(store, file);
  try {
    await rename(temporary, file.path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** As `writeAtomically`, durable, but leaves a file that is already there. */
export async function createAtomically(store: Store, file: NewFile): Promise<void> {
  const temporary = await writeTemporary(store, { ...file, isDurable: true });
  try {
    await link(temporary, file.path);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** As `writeAtomically`, of a file that the action makes; what it throws is thrown. */
export async function placeAtomically(
  store: Store,
  path: string,
  write: (temporary: string) => void,
): Promise<void> {
  const temporary = await nameTemporary(store);
  try {
    write(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** In the store's tmp/, and it says whose it is, so that a later run can remove it. */
async function nameTemporary(store: Store): Promise<string> {
  const name = `file-${await identifyOwnProcess()}-${randomUUID()}`;
  return join(temporaryDirectory(store), name);
}

async function writeTemporary(
  store: Store,
  { bytes, mode = documentMode, isDurable = false }: NewFile,
): Promise<string> {
  const path = await nameTemporary(store);
  const file = await open(path, "wx", mode);
  try {
    await file.writeFile(bytes);
    await file.chmod(mode);
    if (isDurable) await file.datasync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  return path;
}

/** The size of Node's own pool: more would only wait. */
const atOnce = 4;

/** Runs the action for every item, some at a time. */
export async function forEachOf<T>(
  items: Iterable<T>,
  action: (item: T) => Promise<void>,
): Promise<void> {
  await pLimit(atOnce).map(items, action);
}
