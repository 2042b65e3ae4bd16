import { closeSync, constants, fchmodSync, fstatSync, openSync, statSync } from "node:fs";
import { join } from "node:path";
import { XbuildError } from "../errors.ts";
import { systemCode } from "./errno.ts";
import { readHolder, writeHolder } from "./lock-holder.ts";
import { giveBack, handOn, type HeldLock, type Line, takeOver, waitInside } from "./lock-line.ts";
import { takeFlock } from "./linux.ts";
import { takeTicket } from "./lock-tickets.ts";

/** That this process alone holds a lock: what must not be done without it asks for this. */
export interface Lock {
  readonly path: string;
}

export interface LockOptions {
  /** Ends the waiting: then the signal's reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Told once, after two seconds, what is waited for and since when. */
  readonly onWait?: WaitListener | undefined;
}

/** Told what is waited for; what it gives is called when that is over. */
export type WaitListener = (message: string) => (() => void) | undefined;

/** Milliseconds. */
const silence = 2000;

/**
 * Runs the action while this process alone holds the lock of that file or directory (flock(2)). A file is
 * made where there is none, and is its owner's alone, for whoever may read it may hold it for ever. Node has
 * no flock: flock(1) takes the lock for a file that we hold open, and is gone again. However this process
 * dies, the kernel closes the file, and the lock is free. Where there is no such program (macOS, a bare Linux), files stand
 * for the lock (lock-tickets.ts): that is all or none of those who use one store. Errors: `store-lock`.
 */
export async function withLock<T>(
  path: string,
  action: (lock: Lock) => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const line = await waitInside(path, options.signal);
  try {
    const held = await obtain(path, line, options);
    try {
      return await action({ path });
    } finally {
      handOn(path, held);
    }
  } finally {
    line.leave();
  }
}

async function obtain(path: string, { hasWaited }: Line, options: LockOptions): Promise<HeldLock> {
  const held = hasWaited ? takeOver(path) : undefined;
  if (held === undefined) return acquire(path, options);
  if (options.signal?.aborted === true) {
    handOn(path, held);
    throw options.signal.reason;
  }
  if (isStillThere(held.fd, path)) return held;
  giveBack(held);
  return acquire(path, options);
}

async function acquire(path: string, options: LockOptions): Promise<HeldLock> {
  for (;;) {
    const held = await openHeld(path, options);
    if (isStillThere(held.fd, path)) {
      writeHolder(held.fd);
      return held;
    }
    // Somebody has put another file there meanwhile: that one counts.
    giveBack(held);
  }
}

async function openHeld(path: string, options: LockOptions): Promise<HeldLock> {
  const fd = openLock(path);
  try {
    const giveBack = await takeLock(fd, path, options);
    return { fd, since: performance.now(), giveBack };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

const fileFlags =
  constants.O_RDWR |
  constants.O_CREAT |
  constants.O_NOFOLLOW |
  constants.O_NONBLOCK |
  constants.O_NOCTTY;

function openLock(path: string): number {
  try {
    const fd = openSync(path, fileFlags, 0o600);
    assertOwn(fd, path);
    return fd;
  } catch (error) {
    if (systemCode(error) !== "EISDIR") throw explain(path, error);
  }
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    throw explain(path, error);
  }
}

/** One that another user has put there would be held by him. An older version's was readable for all. */
function assertOwn(fd: number, path: string): void {
  const { uid, mode } = fstatSync(fd);
  try {
    if (uid !== process.geteuid?.()) throw createError(path, "it belongs to another user");
    if ((mode & 0o077) !== 0) fchmodSync(fd, 0o600);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

async function takeLock(
  fd: number,
  path: string,
  { signal, onWait }: LockOptions,
): Promise<() => void> {
  signal?.throwIfAborted();
  const since = new Date();
  let waited: (() => void) | undefined;
  const timer = setTimeout(() => (waited = onWait?.(describeWait(fd, path, since))), silence);
  try {
    const outcome = await takeFlock(fd, signal);
    if (outcome === "taken") return () => undefined;
    if (outcome === "no program") return await takeTicket(ticketsOf(fd, path), signal);
    throw createError(path, outcome.failure);
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : explain(path, error);
  } finally {
    clearTimeout(timer);
    waited?.();
  }
}

/** Beside the file; in a directory, for what that lies in may be another's. */
function ticketsOf(fd: number, path: string): string {
  return fstatSync(fd).isFile() ? `${path}.tickets` : join(path, ".xbuild-tickets");
}

function isStillThere(fd: number, path: string): boolean {
  const [ours, there] = [fstatSync(fd), statSync(path, { throwIfNoEntry: false })];
  return ours.ino === there?.ino && ours.dev === there.dev;
}

function describeWait(fd: number, path: string, since: Date): string {
  const holder = readHolder(fd);
  const who = holder === "" ? "" : `; it is held by ${holder}`;
  return `waiting since ${since.toISOString()} for the lock ${path}${who}`;
}

function explain(path: string, error: unknown): unknown {
  const code = systemCode(error);
  if (error instanceof XbuildError || code === undefined) return error;
  // A full or read-only disk is the store's to explain.
  if (["ENOSPC", "EDQUOT", "EROFS"].includes(code)) return error;
  return createError(path, code === "ELOOP" ? "it is a link" : String(error));
}

function createError(path: string, reason: string): XbuildError {
  const hint = "check that this user may open the file and that its file system has locks";
  const suffix = reason === "" ? "" : `: ${reason}`;
  return new XbuildError("store-lock", `${path} cannot be locked${suffix}`, { hint });
}
