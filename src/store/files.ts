import { randomUUID } from "node:crypto";
import { link, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { systemCode } from "./failures.ts";
import { identifyProcess } from "./process.ts";
import { temporaryDirectory, type Store } from "./paths.ts";

/** The store is to be read by other users and tools, whatever the umask is. */
const fileMode = 0o644;
const directoryMode = 0o755;

export interface WriteOptions {
  /** Whether the file must outlast a power failure the moment this returns. */
  readonly durable: boolean;
}

/**
 * Puts a file in its place at once: readers see the old one or the new one, whole. The directory entry
 * is durable only after `syncDirectory`.
 */
export async function writeAtomically(
  store: Store,
  path: string,
  bytes: Uint8Array,
  options: WriteOptions,
): Promise<void> {
  const temporary = await writeTemporary(store, bytes, options);
  try {
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** As `writeAtomically`, but leaves a file that is already there. */
export async function createAtomically(
  store: Store,
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  const temporary = await writeTemporary(store, bytes, { durable: true });
  try {
    await link(temporary, path);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** A file in the store's tmp/ whose name says whose it is, so that a later run can remove it. */
async function writeTemporary(
  store: Store,
  bytes: Uint8Array,
  { durable }: WriteOptions,
): Promise<string> {
  const name = `file-${await identifyProcess()}-${randomUUID()}`;
  const path = join(temporaryDirectory(store), name);
  const file = await open(path, "wx", fileMode);
  try {
    await file.writeFile(bytes);
    await file.chmod(fileMode);
    if (durable) await file.datasync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  return path;
}

/** Makes a finished file durable, gives it its mode, and tells its size in bytes. */
export async function settleFile(path: string, mode: number = fileMode): Promise<number> {
  const file = await open(path, "r");
  try {
    await file.chmod(mode);
    await file.sync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

/** Makes the names in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** A directory with its parents, readable for all; nothing changes where it is there. */
export async function makeDirectory(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: directoryMode });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) {
    await openUp(made);
  }
  await syncDirectory(dirname(first));
}

async function openUp(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.chmod(directoryMode);
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Runs the action for every item, some at a time. */
export async function forEachOf<T>(
  items: Iterable<T>,
  action: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]();
  const work = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) await action(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

/** The size of Node's own pool: more would only wait. */
const atOnce = 4;
