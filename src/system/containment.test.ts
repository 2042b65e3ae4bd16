import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { findContainment, isOnlyFirst } from "./containment.ts";

const containment = await findContainment();
const started: ChildProcess[] = [];

afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});

/** Runs a script in a namespace of its own until it says that it is ready. @returns unshare's process ID */
async function contain(script: string): Promise<number> {
  const [program = "", ...words] = containment ?? [];
  const child = spawn(program, [...words, "sh", "-c", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  started.push(child);
  await once(child.stdout, "data");
  return child.pid ?? 0;
}

const patience = { timeout: 20_000 };
const withoutFirst = `
import ctypes, os, threading, time
def live():
    while open("/proc/self/stat").read().split()[2] != "Z": time.sleep(0.01)
    print(flush=True)
    time.sleep(1000)
threading.Thread(target=live).start()
ctypes.CDLL(None).pthread_exit(0)
`;

describe.skipIf(containment === undefined)("the first process of a PID namespace", () => {
  test("is alone where it has started nothing, and where what it started has ended", async () => {
    const alone = await contain("echo; exec sleep 1000");
    // Others of this machine in a namespace of a namespace may be anybody's.
    await expect.poll(() => isOnlyFirst(alone), patience).toBe(true);
    // Nobody asks how it ended: it stays as a zombie.
    const left = await contain("sh -c 'kill -9 $$' & echo; exec sleep 1000");
    await expect.poll(() => isOnlyFirst(left), patience).toBe(true);
  });

  test.each([
    ["a child of it", "sleep 1000 & echo; wait"],
    ["what a child of it left", "(sleep 1000 & sleep 1000 &) ; echo; exec sleep 1000"],
    ["what is in a session of its own", "setsid sleep 1000 & echo; exec sleep 1000"],
    ["what is in a namespace below", "unshare --pid --fork sleep 1000 & echo; exec sleep 1000"],
    [
      "what is in one whose maker is gone",
      `fifo=$(mktemp -u); mkfifo $fifo; unshare --pid --fork sh -c "echo >$fifo; exec sleep 1000" &
       read line <$fifo; rm $fifo; kill -9 $!; wait; echo; exec sleep 1000`,
    ],
    [
      "threads of a process whose first one has ended",
      `python3 -c '${withoutFirst}' & exec sleep 1000`,
    ],
  ])("is not beside %s", async (_, script) => {
    expect(isOnlyFirst(await contain(script))).toBe(false);
  });

  test("is not known of a process that has made no namespace, or that is gone", () => {
    expect(isOnlyFirst(process.pid)).toBe(false);
    expect(isOnlyFirst(2 ** 22 + 1)).toBe(false);
  });
});
