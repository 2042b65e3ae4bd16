import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { XbuildError } from "../errors.ts";
import { systemCode } from "./failures.ts";

export interface Lock {
  /** Throws `store-lock` where the lock was lost (its holder was killed): called before what cannot be undone. */
  assertHeld(): void;
}

/**
 * Runs the action while this process alone holds the lock of that file or directory (flock(2)). Node has
 * no flock, so flock(1) holds it for us, for as long as its standard input is open: when this process
 * dies, however it dies, the kernel closes the pipe and the lock is free. Errors: `store-lock`.
 */
export async function withLock<T>(path: string, action: (lock: Lock) => Promise<T>): Promise<T> {
  const holder = await startHolder(path);
  try {
    return await action({ assertHeld: () => assertRunning(holder, path) });
  } finally {
    await stopHolder(holder);
  }
}

async function startHolder(path: string): Promise<ChildProcess> {
  // A session of its own, or Ctrl-C would end the holder while we still write.
  const holder = spawn("flock", [path, "cat"], { stdio: ["pipe", "pipe", "pipe"], detached: true });
  holder.stdin.on("error", () => {});
  const messages: string[] = [];
  holder.stderr.setEncoding("utf8").on("data", (text: string) => messages.push(text));
  // cat starts when the lock is ours, and answers then.
  holder.stdin.write("\n");
  const locked = await Promise.race([
    once(holder.stdout, "data").then(() => true),
    once(holder, "close").then(() => false),
  ]).catch((error: unknown) => {
    throw explainStart(path, error);
  });
  if (!locked) throw createError(path, messages.join("").trim());
  return holder;
}

function explainStart(path: string, cause: unknown): unknown {
  if (systemCode(cause) !== "ENOENT") return createError(path, String(cause));
  const hint = "install flock: it is part of util-linux and of busybox";
  return new XbuildError("store-lock", "the program flock is not there", { hint, cause });
}

function createError(path: string, reason: string): XbuildError {
  const hint = "check that this user may open the file and that its file system has locks";
  const suffix = reason === "" ? "" : `: ${reason}`;
  return new XbuildError("store-lock", `${path} cannot be locked${suffix}`, { hint });
}

function assertRunning(holder: ChildProcess, path: string): void {
  if (holder.exitCode === null && holder.signalCode === null) return;
  throw createError(path, "flock was ended while the lock was in use");
}

async function stopHolder(holder: ChildProcess): Promise<void> {
  if (holder.exitCode !== null || holder.signalCode !== null) return;
  const closed = once(holder, "close");
  holder.stdin?.end();
  await closed;
}
