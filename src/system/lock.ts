import { spawn } from "node:child_process";
import { closeSync, constants, fchmodSync, fstatSync, openSync, statSync } from "node:fs";
import { XbuildError } from "../errors.ts";
import { systemCode } from "./errno.ts";
import { readHolder, writeHolder } from "./lock-holder.ts";
import { giveBack, handOn, type HeldLock, type Line, takeOver, waitInside } from "./lock-line.ts";

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
 * dies, the kernel closes the file, and the lock is free. Errors: `store-lock`.
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
  if (held === undefined) return { fd: await acquire(path, options), since: performance.now() };
  if (options.signal?.aborted === true) {
    handOn(path, held);
    throw options.signal.reason;
  }
  if (isStillThere(held.fd, path)) return held;
  giveBack(held.fd);
  return { fd: await acquire(path, options), since: performance.now() };
}

async function acquire(path: string, options: LockOptions): Promise<number> {
  for (;;) {
    const fd = openLock(path);
    try {
      await takeLock(fd, path, options);
      if (isStillThere(fd, path)) {
        writeHolder(fd);
        return fd;
      }
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    // Somebody has put another file there meanwhile: that one counts.
    closeSync(fd);
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

function takeLock(fd: number, path: string, { signal, onWait }: LockOptions): Promise<void> {
  signal?.throwIfAborted();
  const since = new Date();
  // A session of its own, or Ctrl-C would end it before we hear of it.
  const child = spawn("flock", ["-x", "3"], {
    stdio: ["ignore", "ignore", "pipe", fd],
    detached: true,
  });
  const messages: string[] = [];
  child.stderr?.setEncoding("utf8").on("data", (text: string) => messages.push(text));
  let waited: (() => void) | undefined;
  const timer = setTimeout(() => (waited = onWait?.(describeWait(fd, path, since))), silence);
  const stop = (): void => void child.kill("SIGKILL");
  signal?.addEventListener("abort", stop, { once: true });
  return new Promise<void>((resolve, reject) => {
    child.on("error", (error) => reject(explainStart(path, error)));
    child.on("close", (code) => {
      if (code === 0) resolve();
      else
        reject(
          signal?.aborted === true ? signal.reason : createError(path, messages.join("").trim()),
        );
    });
  }).finally(() => {
    clearTimeout(timer);
    waited?.();
    signal?.removeEventListener("abort", stop);
  });
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

function explainStart(path: string, cause: unknown): XbuildError {
  if (systemCode(cause) !== "ENOENT") return createError(path, String(cause));
  const hint = "install flock, a part of util-linux and of busybox";
  return new XbuildError("store-lock", "the program flock is not installed", { hint, cause });
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
