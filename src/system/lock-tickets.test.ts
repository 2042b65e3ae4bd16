import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { takeTicket } from "./lock-tickets.ts";
import { identifyOwnProcess, readProcess } from "./process-identity.ts";

// Processes that race, and those that are killed: test/integration/elsewhere.test.ts.

let directory: string;
let tickets: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "xbuild-tickets-"));
  tickets = join(directory, "tickets");
});

afterEach(() => rmSync(directory, { recursive: true }));

const unique = "00000000-0000-4000-8000-000000000000";

/** Puts there what somebody else would, who had begun before. */
function leave(kind: "drawing" | "ticket-000000000000001", owner: string): string {
  mkdirSync(tickets, { recursive: true });
  const path = join(tickets, `${kind}-${owner}-${unique}`);
  writeFileSync(path, "");
  return path;
}

async function own(change: (fields: string[]) => void): Promise<string> {
  const fields = (await identifyOwnProcess()).split(".");
  change(fields);
  return fields.join(".");
}

async function isTaken(): Promise<boolean> {
  const stop = AbortSignal.timeout(50);
  return takeTicket(tickets, stop).then(
    (giveBack) => {
      giveBack();
      return false;
    },
    (error: unknown) => {
      expect(error).toBe(stop.reason);
      return true;
    },
  );
}

test("one after the other, in the order of drawing, and nothing is left", async () => {
  const order: number[] = [];
  const all = Array.from({ length: 8 }, async (_, index) => {
    const giveBack = await takeTicket(tickets);
    order.push(index);
    await new Promise((resolve) => setTimeout(resolve, 1));
    order.push(index);
    giveBack();
  });
  await Promise.all(all);
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7].flatMap((index) => [index, index]));
  expect(readdirSync(directory)).toEqual([]);
});

test("who lives is waited for, in his turn and while he draws", async () => {
  const living = spawn("sleep", ["1000"]);
  await once(living, "spawn");
  const start = readProcess(living.pid ?? 0)?.start ?? "";
  const owner = await own((fields) => fields.splice(0, 2, String(living.pid), start));
  for (const kind of ["drawing", "ticket-000000000000001"] as const) {
    const path = leave(kind, owner);
    expect([kind, await isTaken()]).toEqual([kind, true]);
    expect(readdirSync(tickets)).toHaveLength(1);
    rmSync(path);
  }
  living.kill("SIGKILL");
  await once(living, "close");
  for (const kind of ["drawing", "ticket-000000000000001"] as const) leave(kind, owner);
  expect(await isTaken()).toBe(false);
  expect(readdirSync(directory)).toEqual([]);
});

test("another process with the same ID is not the one that has died", async () => {
  leave("ticket-000000000000001", await own((fields) => (fields[1] = "1")));
  expect(await isTaken()).toBe(false);
});

test("one of another machine counts for a day", async () => {
  const path = leave(
    "ticket-000000000000001",
    await own((fields) => fields.splice(3, 2, "ab", "cd")),
  );
  expect(await isTaken()).toBe(true);
  const before = Date.now() / 1000 - 25 * 60 * 60;
  utimesSync(path, before, before);
  expect(await isTaken()).toBe(false);
});

test("what is no ticket is left alone, and a file in the place of the directory is an error", async () => {
  mkdirSync(tickets);
  writeFileSync(join(tickets, "other"), "");
  expect(await isTaken()).toBe(false);
  expect(readdirSync(tickets)).toEqual(["other"]);
  rmSync(tickets, { recursive: true });
  writeFileSync(tickets, "");
  await expect(takeTicket(tickets)).rejects.toThrow("EPERM");
  await expect(takeTicket(join(directory, "none", "tickets"))).rejects.toThrow("ENOENT");
});
