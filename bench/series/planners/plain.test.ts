import { expect, test } from "vitest";
import { planAll, releaseOf, unitOf } from "../sample.ts";
import { instructions } from "./instructions.ts";
import { oneLayer } from "./one-layer.ts";

const release = releaseOf(
  "2026-01-01",
  unitOf("libc6"),
  unitOf("bash", { basic: 1, needs: ["libc6"] }),
  unitOf("apt", { needs: ["libgcc"] }),
  unitOf("libgcc", { needs: ["libc6"] }),
  unitOf("nginx", { needs: ["libc6"] }),
  unitOf("express", { kind: "npm" }),
  unitOf("dpkg-database", { kind: "database" }),
  unitOf("other", { kind: "other" }),
  unitOf("python-cache", { kind: "other" }),
  unitOf("app", { kind: "other" }),
);

test("one layer has everything", async () => {
  const [plan] = await planAll(oneLayer, 20, release);
  expect(plan).toHaveLength(1);
  expect(plan?.[0]).toHaveLength(10);
});

test("an instruction's layer: the base with what it needs, the packages, the dependencies, the application", async () => {
  expect(await planAll(instructions, 20, release)).toEqual([
    [
      ["apt", "bash", "libc6", "libgcc"],
      ["dpkg-database", "nginx", "other", "python-cache"],
      ["express"],
      ["app"],
    ],
  ]);
});
