import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, type TestContext } from "vitest";
import { compiled } from "./installed-compiled.ts";
import { scripted } from "./installed-scripted.ts";
import { hasProgram, Unreachable } from "./installed.ts";
import type { Installation } from "./installed.ts";
import { createLab, listShells, makeScratch, put } from "./lab.ts";
import type { Lab } from "./lab.ts";
import { compareTrees, flatten, readTree } from "./oracle.ts";

// What the managers' own programs have installed, from their registries where those can be had.

/** A root with what was installed, and two packages that stay as they are. */
function makeRoot(installation: Installation, isAfter: boolean): string {
  const root = makeScratch();
  installation.install(root, isAfter);
  for (const name of ["aaa", "zzz"])
    put(root, `usr/lib/node_modules/${name}/package.json`, '{"version":"1.0.0"}');
  return root;
}

const roots = new Map<string, string | Unreachable>();

/** Made once. The test is skipped, and says why, where its registry cannot be reached. */
function rootOf(installation: Installation, isAfter: boolean, { skip }: TestContext): string {
  const key = `${installation.kind} ${String(isAfter)}`;
  const root = roots.get(key) ?? attempt(installation, isAfter);
  roots.set(key, root);
  return root instanceof Unreachable ? skip(root.message) : root;
}

function attempt(installation: Installation, isAfter: boolean): string | Unreachable {
  try {
    return makeRoot(installation, isAfter);
  } catch (error) {
    if (error instanceof Unreachable) return error;
    throw error;
  }
}

const names = (lab: Lab): readonly string[] => lab.entries().map((entry) => entry.created_by);

const installations = [...scripted, ...compiled];

describe.each(installations)("$kind: $what", (installation) => {
  const isMissing = !installation.needs.every(hasProgram);
  const [before, after] = installation.layers;

  it.skipIf(isMissing).for(listShells())(
    "has a layer for each package under $name",
    (shell, context) => {
      const root = rootOf(installation, false, context);
      const lab = createLab(shell);
      lab.ok(["split", "auto", root]);
      expect(names(lab)).toEqual(expect.arrayContaining([...before]));
      expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
      const told = lab.run(["kinds", root]);
      expect(told).toMatchObject({ status: 0, stderr: "" });
      expect(told.stdout).toMatch(new RegExp(`^${installation.kind} +[1-9]\\d*  /`, "m"));
    },
  );

  it.skipIf(isMissing)("knows a package in its older versions", (context) => {
    const [shell] = listShells();
    if (shell === undefined) throw new Error("no shell");
    const first = createLab(shell);
    first.ok(["split", "auto", rootOf(installation, false, context)]);
    const root = rootOf(installation, true, context);
    const second = createLab(shell);
    second.ok(["split", "auto", root]);
    expect(names(second)).toEqual(expect.arrayContaining([...after]));
    expect(names(second)).not.toEqual(expect.arrayContaining([...before]));
    const lab = createLab(shell);
    writeFileSync(
      join(lab.base, "bin/history"),
      renderRelease(1_700_000_000, names(first)) + renderRelease(1_703_000_000, names(second)),
    );
    lab.ok(["split", "auto", root]);
    const upgraded = names(second).filter((name) => !names(first).includes(name));
    const unknown = readRates(second);
    const hotter = [...readRates(lab)].filter(([key, rate]) => rate > (unknown.get(key) ?? 0));
    expect(hotter.length).toBeGreaterThan(0);
    expect(hotter.length).toBeLessThanOrEqual(upgraded.length);
  });
});

function renderRelease(time: number, layers: readonly string[]): string {
  const lines = layers.map((name) => `layer\tsha256:a\t${name}\n`);
  return `release\t${time}\tsha256:b\treg/app:${time}\n${lines.join("")}`;
}

/** How often each package is expected to change, by its key. */
function readRates({ output }: Lab): ReadonlyMap<string, number> {
  const plan = readFileSync(join(output, "state/plan"), "utf8");
  const layers = [...plan.matchAll(/^# \d+ bytes, ([\d.]+) changes a month\n(.*)$/gm)];
  const packages = layers.filter(([, , keys]) => !/^(?:database|other|cache):/.test(keys ?? ""));
  return new Map(packages.map(([, rate, keys = ""]) => [keys, Number(rate)]));
}
