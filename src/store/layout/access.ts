import { join } from "node:path";
import { XbuildError } from "../../errors.ts";
import { systemCode } from "../../system/errno.ts";
import { withLock, type Lock } from "../../system/lock.ts";
import { closeToOthers } from "../../system/private-directory.ts";
import { lockPath, ownDocumentKinds, type Store } from "./paths.ts";

/** Runs the action while this process alone changes the store. Errors: `store-lock`. */
export function lockStore<T>(store: Store, action: (lock: Lock) => Promise<T>): Promise<T> {
  return withLock(lockPath(store), action, { signal: store.signal, onWait: store.onWait });
}

/** All of a store's directories. */
const ownDirectories = ["blobs", "tmp", "cache", ...ownDocumentKinds];

/**
 * Takes a store that is there from other users: whoever reaches a running build's directories changes its image.
 * What cannot be closed is left, for the reading of another user's store is no danger to him; `assertOwn`
 * refuses to write there.
 */
export async function closeStore(store: Store): Promise<void> {
  if (!closeDirectory(store.directory)) return;
  for (const name of ownDirectories) closeDirectory(join(store.directory, name));
}

/** @returns whether it was open. What is not there, or not ours, whoever uses it will find out. */
function closeDirectory(path: string): boolean {
  try {
    return closeToOthers(path).mended;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}

/** A store whose directory is another user's is his: he could put links in place of what is in it. Errors: `store-not-writable`. */
export function assertOwn(store: Store): void {
  if (!isForeign(store)) return;
  const message = `the store ${store.directory} belongs to another user, who could change what is built`;
  throw new XbuildError("store-not-writable", message, {
    hint: "set XBUILD_STORE to a directory of your own, or give this one to yourself (chown)",
  });
}

/** Whether the store is another user's: nothing is written there. */
export function isForeign(store: Store): boolean {
  return ownerOf(store.directory) === "other";
}

function ownerOf(path: string): "own" | "root" | "other" | undefined {
  try {
    return closeToOthers(path).owner;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}
