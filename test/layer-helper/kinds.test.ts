import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { joinedHelper } from "../support/joined-helper.ts";
import { createInside, makeContainer, runInside } from "./container.ts";
import { createLab, listShells, makeScratch, put } from "./lab.ts";
import type { HelperResult } from "./lab.ts";
import { putDpkg } from "./roots.ts";

/** The lines, as words: kind, how many, and why. */
function readTold({ stdout }: HelperResult): readonly (readonly string[])[] {
  const lines = stdout.trimEnd().split("\n");
  return lines.map((line) => /^(\S+) +(\d+|-) {2}(.*)$/.exec(line)?.slice(1) ?? [line]);
}

function makeRoot(): string {
  const root = makeScratch();
  putDpkg(root, [
    { name: "one", list: ["/usr/lib/node_modules/owned/package.json"] },
    { name: "two", list: [] },
  ]);
  put(root, "usr/lib/node_modules/owned/package.json", '{"version":"1.0.0"}');
  put(root, "srv/node_modules/b/package.json", '{"version":"1.0.0"}');
  put(root, "srv/node_modules/a/package.json", '{"version":"1.0.0"}');
  put(root, "srv/node_modules/a/node_modules/b/package.json", '{"version":"1.0.0"}');
  return root;
}

describe.each(listShells())("kinds under $name", (shell) => {
  it("tells what split would find, and what of the rest was looked for", () => {
    const root = makeRoot();
    const lab = createLab(shell);
    const told = lab.run(["kinds", root]);
    expect(told).toMatchObject({ status: 0, stderr: "" });
    const lines = readTold(told);
    expect(lines.map(([kind]) => kind)).toEqual(joinedHelper.kinds);
    expect(lines.filter(([, count]) => count !== "-")).toEqual([
      ["dpkg", "2", "/var/lib/dpkg/status"],
      ["npm", "2", "/srv/node_modules/a/node_modules/b/package.json"],
    ]);
    const others = lines.flatMap(([, count, why = ""]) => (count === "-" ? [why] : []));
    expect(others.filter((why) => !/^no \S/.test(why))).toEqual([]);
    lab.ok(["split", "auto", root]);
    const names = lab.entries().map((entry) => entry.created_by);
    const packages = ["a-1.0.0", "b-1.0.0", "one-1.0", "two-1.0"];
    expect(names.slice(0, -1).toSorted()).toEqual(packages);
    expect(names.at(-1)).toBe("dpkg-database");
  });

  it("leaves nothing behind", () => {
    const root = makeRoot();
    const lab = createLab(shell);
    const before = readdirSync(root, { recursive: true, encoding: "utf8" });
    expect(lab.run(["kinds", root]).status).toBe(0);
    expect(readdirSync(root, { recursive: true, encoding: "utf8" })).toEqual(before);
    expect(existsSync(join(lab.output, "history.jsonl"))).toBe(false);
    expect(existsSync(join(lab.output, "state"))).toBe(false);
    expect(readdirSync(join(lab.output, "layers"))).toEqual([]);
  });

  it("takes a root without anything, and no more than one", () => {
    const lab = createLab(shell);
    const empty = join(makeScratch(), "empty");
    mkdirSync(empty);
    expect(new Set(readTold(lab.run(["kinds", empty])).map(([, count]) => count))).toEqual(
      new Set(["-"]),
    );
    const missing = lab.run(["kinds", join(empty, "missing")]);
    expect(missing).toMatchObject({ status: 1, stdout: "" });
    expect(missing.stderr).toMatch(/^layer: no directory '.*missing' to look at\n$/);
    for (const args of [
      ["kinds", "/", "/"],
      ["kinds", "--frob"],
    ])
      expect(lab.run(args)).toMatchObject({ status: 2, stdout: "" });
  });
});

it("looks at / where no root is named", () => {
  const root = makeContainer();
  const told = runInside(root, createInside(), true, ["/layers/bin/layer", "kinds"]);
  expect(told).toMatchObject({ status: 0, stderr: "" });
  expect(told.stdout).toMatch(/^dpkg +2 {2}\/var\/lib\/dpkg\/status$/m);
});
