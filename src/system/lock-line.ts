import { closeSync } from "node:fs";
import { clearHolder } from "./lock-holder.ts";

/** A lock that this process has, since when in milliseconds. */
export interface HeldLock {
  readonly fd: number;
  readonly since: number;
  /** What is to be done where the kernel does not free it with the file. */
  readonly giveBack: () => void;
}

/** How many parts of this process wait for a lock, by its path. */
const waiting = new Map<string, number>();
/** Locks that one part of this process has left for the next. */
const handed = new Map<string, HeldLock>();
/** Milliseconds after which other processes have their turn. */
const longest = 500;

/** A place in the line of those in this process who wait for a lock. */
export interface Line {
  /** Then it is to be taken over, or asked for whether there is one. */
  readonly hasWaited: boolean;
  readonly leave: () => void;
}

/** The end of the line of those in this process who wait for a lock, by its path. */
const lines = new Map<string, Promise<void>>();

/** Parts of this process wait for each other here: a program for each would be no use, nor would a word of it. */
export async function waitInside(path: string, signal: AbortSignal | undefined): Promise<Line> {
  const before = lines.get(path);
  const own = createEnd();
  const line = before === undefined ? own.promise : before.then(() => own.promise);
  lines.set(path, line);
  const leave = (): void => {
    own.resolve();
    if (lines.get(path) === line) lines.delete(path);
  };
  if (before === undefined) return { hasWaited: false, leave };
  countWaiting(path, 1);
  try {
    await untilAborted(before, signal);
    return { hasWaited: true, leave };
  } catch (error) {
    countWaiting(path, -1);
    leave();
    throw error;
  }
}

interface End {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function createEnd(): End {
  const ends: (() => void)[] = [];
  const promise = new Promise<void>((resolve) => void ends.push(resolve));
  return { promise, resolve: () => ends[0]?.() };
}

function untilAborted(waiting: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return waiting;
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    const go = (): void => {
      signal.removeEventListener("abort", stop);
      resolve();
    };
    void waiting.then(go);
  });
}

/** Whoever waits here next need not start a program for what this process has already. */
export function handOn(path: string, held: HeldLock): void {
  const isWanted = waiting.has(path) && performance.now() - held.since < longest;
  if (isWanted) handed.set(path, held);
  else giveBack(held);
}

/** What was left for the one whose turn it is; to be asked for once, by one who has waited. */
export function takeOver(path: string): HeldLock | undefined {
  const held = handed.get(path);
  handed.delete(path);
  countWaiting(path, -1);
  return held;
}

/** What is left for nobody is given back. */
function countWaiting(path: string, change: 1 | -1): void {
  const count = (waiting.get(path) ?? 0) + change;
  if (count > 0) return void waiting.set(path, count);
  waiting.delete(path);
  const held = handed.get(path);
  handed.delete(path);
  if (held !== undefined) giveBack(held);
}

/** The kernel frees it when the file is closed. */
export function giveBack(held: HeldLock): void {
  clearHolder(held.fd);
  closeSync(held.fd);
  held.giveBack();
}
