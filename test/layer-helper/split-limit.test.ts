import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createLab, listShells, put } from "./lab.ts";
import type { Lab } from "./lab.ts";
import { compareTrees, flatten, readTree } from "./oracle.ts";
import { makeMergedRoot, putDpkg } from "./roots.ts";
import type { DpkgPackage } from "./roots.ts";

interface Sized extends DpkgPackage {
  readonly size: number;
}

/** A package with one file of this many bytes. */
function sized(name: string, size: number, version = "1.0", source = name): Sized {
  return { name, size, version, source, list: [`/usr/share/${name}`] };
}

function putPackages(root: string, packages: readonly Sized[]) {
  rmSync(join(root, "var/lib/dpkg"), { recursive: true, force: true });
  rmSync(join(root, "usr/share"), { recursive: true, force: true });
  for (const one of packages)
    put(root, `usr/share/${one.name}`, `${one.version}`.padEnd(one.size, "."));
  putDpkg(root, packages);
}

const specials = ["dpkg-database", "other"];
const names = (lab: Lab): readonly string[] => lab.entries().map((entry) => entry.created_by);
const kept = (lab: Lab): readonly string[] =>
  lab.entries().flatMap((entry) => (entry.path === undefined ? [entry.created_by] : []));

const kilobyte = 1000;
const packages = [
  sized("a", 900 * kilobyte),
  sized("b", 1 * kilobyte),
  sized("c", 2 * kilobyte),
  sized("d", 700 * kilobyte),
  sized("e", 3 * kilobyte),
  sized("f", 500 * kilobyte),
  sized("s-bin", 300 * kilobyte, "1.0", "s"),
  sized("s-lib", 300 * kilobyte, "1.0", "s"),
];

describe.each(listShells())("the number of layers under $name", (shell) => {
  it.each([
    [
      10,
      ["a", "d", "f", "s-bin", "s-lib", "e", "c", "b"].map((one) => `${one}-1.0`).concat(specials),
    ],
    [9, ["a-1.0", "d-1.0", "s-bin-1.0 s-lib-1.0", "f-1.0", "b-1.0 c-1.0 e-1.0", ...specials]],
    [8, ["a-1.0", "d-1.0", "s-bin-1.0 s-lib-1.0", "f-1.0", "b-1.0 c-1.0 e-1.0", ...specials]],
    [7, ["a-1.0", "d-1.0", "s-bin-1.0 s-lib-1.0", "f-1.0", "b-1.0 c-1.0 e-1.0", ...specials]],
    [3, [packages.map((one) => `${one.name}-1.0`).join(" "), ...specials]],
    [2, [packages.map((one) => `${one.name}-1.0`).join(" "), specials.join(" ")]],
    [1, [[...packages.map((one) => `${one.name}-1.0`), ...specials].join(" ")]],
  ])("is at most %i", (max, expected) => {
    const root = makeMergedRoot();
    putPackages(root, packages);
    const lab = createLab(shell);
    lab.ok(["split", "--max", String(max), "dpkg", root]);
    expect(names(lab)).toEqual(expected);
    expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
  });

  it("counts what is listed already against what the image may have", () => {
    const root = makeMergedRoot();
    putPackages(root, packages);
    const lab = createLab(shell);
    lab.setMaxLayers(8);
    lab.ok(["add", "one", "-C", root, "etc"]);
    writeFileSync(join(lab.output, "history.jsonl"), '{"created_by":"ENV","empty_layer":true}\n', {
      flag: "a",
    });
    lab.ok(["split", "dpkg", root, "--max=100"]);
    // The smallest share one, too: there is more to a layer than its bytes.
    expect(names(lab)).toHaveLength(1 + 1 + 7);
    const result = lab.run(["split", "dpkg", root]);
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toMatch(/^layer: all 8 layers .*, raise --max-layers\n$/);
    expect(names(lab)).toHaveLength(9);
  });

  it("leaves a package where the previous image has it", () => {
    const root = makeMergedRoot();
    putPackages(root, packages);
    const lab = createLab(shell);
    const split = (): void => {
      lab.ok(["split", "dpkg", root, "--max", "7"]);
    };
    split();
    lab.next();
    // An upgrade that also outgrows another: with a new plan others would share.
    const [a, b, c, d, , f, ...s] = packages;
    if (!a || !b || !c || !d || !f) throw new Error("no packages");
    const upgraded = sized("e", 40 * kilobyte, "2.0");
    const arrived = sized("g", 4 * kilobyte);
    putPackages(root, [a, b, c, d, upgraded, f, arrived, ...s]);
    split();
    expect(names(lab)).toEqual([
      "a-1.0",
      "d-1.0",
      "s-bin-1.0 s-lib-1.0",
      "f-1.0",
      "b-1.0 c-1.0 e-2.0 g-1.0",
      ...specials,
    ]);
    lab.next();
    putPackages(root, [a, b, c, d, f, arrived, ...s]);
    split();
    expect(names(lab)).toContain("b-1.0 c-1.0 g-1.0");
  });

  it("keeps a shared layer that is unchanged", () => {
    const root = makeMergedRoot();
    putPackages(root, packages);
    const lab = createLab(shell);
    lab.ok(["split", "dpkg", root, "--max", "7"]);
    lab.next();
    lab.ok(["split", "dpkg", root, "--max", "7"]);
    expect(kept(lab)).toEqual(names(lab));
    lab.next();
    put(root, "usr/share/c", "edited");
    lab.ok(["split", "dpkg", root, "--max", "7"]);
    expect(names(lab).filter((name) => !kept(lab).includes(name))).toEqual(["b-1.0 c-1.0 e-1.0"]);
  });

  it.each([
    ["a wasteful one", ["a-1.0 d-1.0 f-1.0 s-bin-1.0 s-lib-1.0 b-1.0 c-1.0 e-1.0"]],
    [
      "another's",
      ["x-1.0 y-2", "z-3 a-0.1 b-0.1", "  ", "-", "a- -1 a-1.0 a-1.0", "other dpkg-database"],
    ],
    ["one twice", ["a-1.0 b-1.0", "b-1.0 c-1.0", "a-1.0"]],
  ])("makes a plan of its own where the previous one is %s", (_what, previous) => {
    const root = makeMergedRoot();
    putPackages(root, packages);
    const lab = createLab(shell);
    lab.setNames(previous.map((name, index) => ({ name, digest: `sha256:${index}` })));
    lab.ok(["split", "dpkg", root, "--max", "7"]);
    const listed = names(lab).flatMap((name) => name.split(" "));
    expect(listed.toSorted()).toEqual(
      [...packages.map((one) => `${one.name}-1.0`), ...specials].toSorted(),
    );
    expect(names(lab).length).toBeLessThanOrEqual(7);
    expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
  });

  it("is the same for the same root, however it was read", () => {
    const first = makeMergedRoot();
    const second = makeMergedRoot();
    const many = Array.from({ length: 60 }, (_, index) =>
      sized(`p${index}`, 1 + ((index * 7919) % 300_000), "1.0", `source${index % 25}`),
    );
    putPackages(first, many);
    putPackages(second, many.toReversed());
    const plans = [first, second].map((root) => {
      const lab = createLab(shell);
      lab.ok(["split", "dpkg", root, "--max", "20"]);
      return names(lab);
    });
    expect(plans[0]).toEqual(plans[1]);
    expect(plans[0]).toHaveLength(20);
  });
});
