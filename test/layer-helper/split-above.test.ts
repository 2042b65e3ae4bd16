import { linkSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createLab, link, listShells, makeScratch, put, type Lab, type Shell } from "./lab.ts";
import { compareTrees, readTree, type Tree } from "./oracle.ts";
import { makeMergedRoot, putAttributes, putDpkg, putOddities, type DpkgPackage } from "./roots.ts";
import { copyTree, listNeedless, readTimeless, runIn, stack } from "./stack.ts";

const keep: DpkgPackage = { name: "keep", list: ["/usr/bin/keep", "/usr/share/doc/keep"] };
const tool: DpkgPackage = {
  name: "tool",
  list: ["/usr/bin/tool", "/usr/share/tool", "/usr/share/tool/a", "/usr/share/tool/b"],
};
const gone: DpkgPackage = { name: "gone", list: ["/usr/lib/gone", "/usr/lib/gone/so", "/lib/g.so"] };

/** What an image below may have. */
function makeBase(): string {
  const root = makeMergedRoot();
  put(root, "usr/bin/keep", "keep", 0o755);
  put(root, "usr/share/doc/keep/copyright");
  put(root, "usr/bin/tool", "tool 1", 0o755);
  put(root, "usr/share/tool/a");
  put(root, "usr/share/tool/b");
  put(root, "usr/lib/gone/so");
  put(root, "usr/lib/g.so");
  for (const name of ["one", "two", "three"]) put(root, `srv/plain/${name}`, `the ${name}`);
  put(root, "srv/linked/one", "the same");
  for (const name of ["two", "three"])
    linkSync(join(root, "srv/linked/one"), join(root, "srv/linked", name));
  put(root, "srv/apart/one", "equal");
  put(root, "srv/apart/two", "equal");
  link(root, "srv/link", "plain/one");
  link(root, "srv/to-tree", "tree");
  put(root, "srv/tree/deep/er/file");
  put(root, "srv/tree/deep/other");
  mkdirSync(join(root, "srv/private"), { mode: 0o700 });
  put(root, "srv/private/file");
  putOddities(root, "srv/odd");
  putOddities(root, "srv/odd-too");
  putAttributes(root, "usr/bin/keep");
  putAttributes(root, "srv/plain/three");
  runIn(root, "setfattr -n user.note -v kept srv/tree; mknod srv/null c 1 3; mknod srv/zero c 1 5");
  putDpkg(root, [keep, tool, gone]);
  // Nothing of it changed in the tick in which it is looked at, and times count for nothing.
  runIn(root, "find . -exec touch -h -d @1000000000 {} +");
  return root;
}

/** Whoever is removed, or another version. */
const withPackages = (list: readonly DpkgPackage[], removed = "") => (root: string) => {
  if (removed !== "") runIn(root, `rm var/lib/dpkg/info/${removed}.*`);
  putDpkg(root, list);
};

type Change = (root: string) => void;
const run =
  (script: string): Change =>
  (root) => {
    runIn(root, script);
  };

/** Each with the layers that come of it; those of busybox, whose tar knows no attributes, where these are others. */
const changes: Readonly<Record<string, readonly [Change, readonly string[], ...string[][]]>> = {
  "a file edited, with its size and time": [
    run("printf 'THE one' >srv/plain/one; touch -d @1000000000 srv/plain/one"),
    ["other"],
  ],
  "a file touched": [run("touch srv/plain/one"), []],
  "a file written anew": [run("cp -a srv/plain/one x; mv x srv/plain/one"), []],
  "a mode": [run("chmod 4711 usr/bin/tool"), ["tool-1.0"]],
  "an owner": [run("chown 7:8 srv/plain/one; chown -h 7:8 srv/link"), ["other"]],
  "a directory's mode": [run("chmod 750 srv/private; chmod 1777 srv"), ["other"]],
  "an empty file, a new directory": [run(": >srv/plain/one; mkdir -m 700 srv/new"), ["other"]],
  "a link that leads elsewhere": [run("ln -sfn plain/two srv/link"), ["other"]],
  "a device of another number": [run("rm srv/null; mknod srv/null c 1 5"), ["other"]],
  "a device that became a pipe": [run("rm srv/null; mkfifo srv/null"), ["other"]],
  "a directory that became a link": [run("mv srv/tree srv/moved; ln -s moved srv/tree"), ["other"]],
  "a directory that became a file": [run("rm -r srv/tree; echo >srv/tree"), ["other"]],
  "a link that became a directory": [
    run("rm srv/to-tree; cp -a srv/tree srv/to-tree; rm -r srv/to-tree/deep/er"),
    ["other"],
  ],
  "a file that became a directory": [
    run("rm srv/plain/one; mkdir -m 711 srv/plain/one; echo >srv/plain/one/in"),
    ["other"],
  ],
  "a tree removed": [run("rm -r srv/tree srv/private usr/share/doc/keep"), ["removed"]],
  "a tree emptied": [run("rm -r srv/tree/* srv/private/*"), ["removed"]],
  "all of a top directory": [run("rm -r srv; rm bin"), ["removed"]],
  "a removed package": [
    (root) => {
      runIn(root, "rm -r usr/lib/gone usr/lib/g.so");
      withPackages([keep, tool], "gone")(root);
    },
    ["removed", "dpkg-database"],
  ],
  "a new version of a package": [
    (root) => {
      runIn(root, "echo 2 >usr/bin/tool; rm usr/share/tool/b; echo >usr/share/tool/c");
      const list = ["/usr/bin/tool", "/usr/share/tool", "/usr/share/tool/a", "/usr/share/tool/c"];
      withPackages([keep, { name: "tool", version: "2.0", list }, gone])(root);
    },
    ["tool-2.0", "dpkg-database"],
  ],
  "a new package": [
    (root) => {
      put(root, "usr/bin/new");
      withPackages([keep, tool, gone, { name: "new", list: ["/usr/bin/new"] }])(root);
    },
    ["new-1.0", "dpkg-database"],
  ],
  "links that come apart": [run("cp srv/linked/two x; mv x srv/linked/two"), ["other"]],
  "one of the links removed": [run("rm srv/linked/two"), ["removed"]],
  "files that become links": [run("ln -f srv/apart/one srv/apart/two"), ["other"]],
  "one more link, of a package's file": [run("ln usr/bin/tool srv/tool"), ["tool-1.0"]],
  "a link to what was removed elsewhere": [run("mv srv/linked srv/moved"), ["removed", "other"]],
  "attributes": [
    run("setfattr -n user.note -v other usr/bin/keep; setfattr -x user.note srv/plain/three"),
    ["keep-1.0", "other"],
    [],
  ],
  "a directory's attribute": [run("setfattr -n user.note -v new srv/tree srv/plain"), ["other"], []],
  "odd names edited": [
    run("cd srv/odd; for name in * */*; do [ ! -f \"$name\" ] || echo >>\"./$name\"; done"),
    ["other"],
  ],
  "odd names removed": [run("rm -r srv/odd/*"), ["removed", "other"], ["removed", "other"]],
  "all odd names removed": [run("rm -r srv/odd srv/odd-too"), ["removed"], ["removed"]],
  "nothing": [() => undefined, [], []],
};

const withoutAttributes = (tree: Tree): Tree =>
  new Map(
    [...tree].map(([path, line]) => [
      path,
      line.replaceAll(/ (?:user\.note|security\.capability)=\w+/g, ""),
    ]),
  );

function splitAbove(lab: Lab, root: string, ...bases: readonly string[]): void {
  lab.setMaxLayers(127, 1);
  lab.ok(["split", "dpkg", root, ...bases.flatMap((base) => ["--above", base])]);
}

const namesOf = (lab: Lab): readonly string[] => lab.entries().map((entry) => entry.created_by);

/** Base and layers are the root, and no layer has what the base has. */
function expectWhole(lab: Lab, base: string, root: string, shell: Shell): void {
  const read = (tree: string): Tree =>
    shell.name === "busybox" ? withoutAttributes(readTimeless(tree)) : readTimeless(tree);
  expect(compareTrees(read(root), read(stack(base, lab)))).toEqual([]);
}

/** busybox has no means to see that names with a line break are the same: they are written again. */
const noOdd = "rm -r srv/odd/*break srv/odd-too/*break";

describe.each(listShells())("split --above under $name", (shell) => {
  it.each(Object.entries(changes))("%s", (_, [change, layers, bare = layers]) => {
    const base = makeBase();
    const isBare = shell.name === "busybox";
    if (isBare) runIn(base, 'find . -name "*\n*" -prune -exec rm -r {} +');
    const before = readTree(base);
    const root = copyTree(base);
    change(root);
    const lab = createLab(shell);
    splitAbove(lab, root, base);
    expectWhole(lab, base, root, shell);
    expect(namesOf(lab)).toEqual(isBare ? bare : layers);
    expect(compareTrees(before, readTree(base))).toEqual([]);
  });
});
