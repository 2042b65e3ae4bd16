import { homedir } from "node:os";
import { expect, test } from "vitest";
import { toEntry } from "./entry.ts";
import { createClockCheck } from "./file-systems.ts";
import { lstatSync } from "node:fs";

test("elsewhere than on Linux the times of the home's file system are believed, and of no other", () => {
  const hasClock = createClockCheck("/", "darwin");
  const entry = toEntry("x", lstatSync(homedir()));
  expect(hasClock(entry)).toBe(true);
  expect(hasClock({ ...entry, dev: entry.dev + 1 })).toBe(false);
});
