import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { withLock } from "./lock.ts";

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "xbuild-lock-"));
  path = join(directory, "lock");
});

afterEach(() => rmSync(directory, { recursive: true }));

/** Whether another process could have it now. */
function isFree(): boolean {
  try {
    execFileSync("flock", ["--nonblock", path, "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

test("parts of a process have it one after the other, in their order, and no other process between", async () => {
  const seen: string[] = [];
  const parts = ["a", "b", "c"].map((name) =>
    withLock(path, async () => {
      seen.push(`${name} in`, isFree() ? "free" : "held");
      await Promise.resolve();
      seen.push(`${name} out`);
    }),
  );
  await Promise.all(parts);
  expect(seen).toEqual(["a", "b", "c"].flatMap((name) => [`${name} in`, "held", `${name} out`]));
  expect(isFree()).toBe(true);
});

test("one that fails hands it on, too", async () => {
  const first = withLock(path, () => Promise.reject(new Error("first")));
  const second = withLock(path, () => Promise.resolve(isFree()));
  await expect(first).rejects.toThrow("first");
  expect(await second).toBe(false);
  expect(isFree()).toBe(true);
});

test("those who gave up waiting leave it to the next, or to nobody", async () => {
  const stop = new AbortController();
  const options = { signal: stop.signal };
  const [begun, over] = [new EventTarget(), new EventTarget()];
  const isBegun = once(begun, "go");
  const first = withLock(path, async () => {
    const isOver = once(over, "go");
    begun.dispatchEvent(new Event("go"));
    await isOver;
  });
  const given = [1, 2].map(() => withLock(path, () => Promise.resolve("got it"), options));
  const last = withLock(path, () => Promise.resolve("last"));
  await isBegun;
  stop.abort(new Error("stopped"));
  for (const one of given) await expect(one).rejects.toThrow("stopped");
  over.dispatchEvent(new Event("go"));
  await first;
  expect(await last).toBe("last");
  expect(isFree()).toBe(true);
});

test("one that is stopped at the very moment when it would have it leaves it free", async () => {
  const stop = new AbortController();
  const first = withLock(path, async () => {
    await Promise.resolve();
    queueMicrotask(() => stop.abort(new Error("stopped")));
  });
  const second = withLock(path, () => Promise.resolve(), { signal: stop.signal });
  await first;
  await second.catch(() => undefined);
  expect(isFree()).toBe(true);
});

test("another process gets it where parts of this one come again and again", async () => {
  const stop = new AbortController();
  const again = async (): Promise<void> => {
    while (!stop.signal.aborted)
      await withLock(path, () => new Promise((resolve) => setTimeout(resolve, 10)));
  };
  const parts = [again(), again()];
  const other = spawn("flock", ["-x", path, "true"], { stdio: "ignore" });
  expect(await once(other, "close")).toEqual([0, null]);
  stop.abort();
  await Promise.all(parts);
});

test("who waits for another process is told, and told when it is over", async () => {
  const holder = spawn("flock", [path, "sh", "-c", "echo held; cat"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  await once(holder.stdout, "data");
  const told: string[] = [];
  const onWait = (message: string): (() => void) => {
    told.push(message);
    holder.stdin.end();
    return () => void told.push("over");
  };
  await withLock(path, () => Promise.resolve(told.push("ours")), { onWait });
  expect(told).toEqual([expect.stringContaining(`the lock ${path}`), "over", "ours"]);
});
