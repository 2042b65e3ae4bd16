import { describe, expect, it } from "vitest";
import { compiled } from "./installed-compiled.ts";
import { scripted } from "./installed-scripted.ts";
import { hasProgram } from "./installed.ts";
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

const roots = new Map<string, string>();

/** Made once. */
function rootOf(installation: Installation, isAfter: boolean): string {
  const key = `${installation.kind} ${String(isAfter)}`;
  const root = roots.get(key) ?? makeRoot(installation, isAfter);
  roots.set(key, root);
  return root;
}

const names = (lab: Lab): readonly string[] => lab.entries().map((entry) => entry.created_by);

const installations = [...scripted, ...compiled];

describe.each(installations)("$kind: $what", (installation) => {
  const isMissing = !installation.needs.every(hasProgram);
  const [before, after] = installation.layers;

  it.skipIf(isMissing).each(listShells())("has a layer for each package under $name", (shell) => {
    const root = rootOf(installation, false);
    const lab = createLab(shell);
    lab.ok(["split", "auto", root]);
    expect(names(lab)).toEqual(expect.arrayContaining([...before]));
    expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
    const told = lab.run(["kinds", root]);
    expect(told).toMatchObject({ status: 0, stderr: "" });
    expect(told.stdout).toMatch(new RegExp(`^${installation.kind} +[1-9]\\d*  /`, "m"));
  });

  it.skipIf(isMissing)("keeps together across an upgrade what shared a layer", () => {
    const [shell] = listShells();
    if (shell === undefined) throw new Error("no shell");
    const first = createLab(shell);
    first.ok(["split", "auto", rootOf(installation, false)]);
    const root = rootOf(installation, true);
    const free = createLab(shell);
    free.ok(["split", "auto", root]);
    expect(names(free)).toEqual(expect.arrayContaining([...after]));
    expect(names(free)).not.toEqual(expect.arrayContaining([...before]));
    // Nothing but the names of the previous image would put these two together.
    const pair = [before[0] ?? "", "aaa-1.0.0"];
    const others = names(first).filter((name) => !pair.includes(name));
    const lab = createLab(shell);
    lab.setNames([pair.join(" "), ...others].map((name) => ({ name, digest: `sha256:${name}` })));
    lab.ok(["split", "auto", root, "--max", String(names(free).length - 1)]);
    expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
    const shared = names(lab).filter((name) => name.includes(" "));
    expect(shared.map((name) => name.split(" ").toSorted())).toEqual([
      [after[0], "aaa-1.0.0"].toSorted(),
    ]);
  });
});
