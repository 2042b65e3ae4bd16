import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { resolveBelow } from "./resolve-below.ts";

const root = mkdtempSync(join(tmpdir(), "root-"));
mkdirSync(join(root, "run/layers/output"), { recursive: true });
mkdirSync(join(root, "var"));
symlinkSync("/run", join(root, "var/run"));
symlinkSync("../run", join(root, "var/relative"));
symlinkSync("../../../../../etc", join(root, "var/out"));
symlinkSync("loop", join(root, "loop"));
writeFileSync(join(root, "file"), "");

test.each([
  ["/run/layers/output", "run/layers/output"],
  ["/var/run/layers/output", "run/layers/output"],
  ["/var/relative/layers", "run/layers"],
  ["//run/./layers/../layers", "run/layers"],
  ["/../../run", "run"],
  ["/", ""],
])("%s is a directory of that root", (path, found) => {
  expect(resolveBelow(root, path)).toBe(join(root, found));
});

test.each(["/file", "/file/x", "/gone", "/loop", "/var/out", "/run/layers/gone/output"])(
  "%s is none",
  (path) => {
    expect(resolveBelow(root, path)).toBeUndefined();
  },
);
