import { spawnSync } from "node:child_process";
import { linkSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createInside, makeContainer, runMounted } from "./container.ts";
import {
  awks,
  createLab,
  link,
  listShells,
  makeScratch,
  put,
  type Lab,
  type Shell,
} from "./lab.ts";
import { compareTrees, readTree, type Tree } from "./oracle.ts";
import { changeTree, createRandom, fillTree } from "./random-trees.ts";
import {
  execute,
  makeMergedRoot,
  putAttributes,
  putDpkg,
  putOddities,
  type DpkgPackage,
} from "./roots.ts";
import { copyTree, listNeedless, readTimeless, runIn, stack } from "./stack.ts";

const keep: DpkgPackage = { name: "keep", list: ["/usr/bin/keep", "/usr/share/doc/keep"] };
const tool: DpkgPackage = {
  name: "tool",
  list: ["/usr/bin/tool", "/usr/share/tool", "/usr/share/tool/a", "/usr/share/tool/b"],
};
const gone: DpkgPackage = {
  name: "gone",
  list: ["/usr/lib/gone", "/usr/lib/gone/so", "/lib/g.so"],
};

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
const withPackages =
  (list: readonly DpkgPackage[], removed = "") =>
  (root: string) => {
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
  attributes: [
    run("setfattr -n user.note -v other usr/bin/keep; setfattr -x user.note srv/plain/three"),
    ["keep-1.0", "other"],
    [],
  ],
  "a directory's attribute": [
    run("setfattr -n user.note -v new srv/tree srv/plain"),
    ["other"],
    [],
  ],
  "odd names edited": [
    run('cd srv/odd; for name in * */*; do [ ! -f "$name" ] || echo >>"./$name"; done'),
    ["other"],
  ],
  "odd names removed": [run("rm -r srv/odd/*"), ["removed", "other"], ["removed"]],
  "all odd names removed": [run("rm -r srv/odd srv/odd-too"), ["removed"]],
  nothing: [() => undefined, []],
};

/** Changes that go together. */
const groups = [
  [
    "a file edited, with its size and time",
    "a mode",
    "a link that leads elsewhere",
    "a device of another number",
    "a directory that became a link",
    "a removed package",
    "links that come apart",
    "attributes",
    "odd names edited",
  ],
  [
    "an owner",
    "a directory's mode",
    "a device that became a pipe",
    "a file that became a directory",
    "a directory that became a file",
    "a new version of a package",
    "one of the links removed",
    "files that become links",
    "odd names removed",
  ],
  [
    "a directory's attribute",
    "a link that became a directory",
    "a tree emptied",
    "a new package",
    "one more link, of a package's file",
    "a link to what was removed elsewhere",
    "all odd names removed",
  ],
];

const withoutAttributes = (tree: Tree): Tree =>
  new Map(
    [...tree].map(([path, line]) => [
      path,
      line.replaceAll(/ (?:user\.note|security\.capability)=\w+/g, ""),
    ]),
  );

/** Without names that have a line break: where there are any, no state vouches for them. */
function removeOdd(root: string): void {
  runIn(root, 'find . -name "*\n*" -prune -exec rm -r {} +');
}

function splitAbove(lab: Lab, root: string, ...bases: readonly string[]): void {
  lab.setMaxLayers(127, 1);
  lab.ok(["split", "dpkg", root, ...bases.flatMap((base) => ["--above", base])]);
}

const namesOf = (lab: Lab): readonly string[] => lab.entries().map((entry) => entry.created_by);
const isWritten = (lab: Lab): readonly string[] =>
  lab.entries().flatMap((entry) => (entry.path === undefined ? [] : [entry.created_by]));

/** Base and layers are the root; attributes aside where tar keeps none. */
function expectWhole(lab: Lab, base: string, root: string, isBare = false): void {
  const read = (tree: string): Tree =>
    isBare ? withoutAttributes(readTimeless(tree)) : readTimeless(tree);
  expect(compareTrees(read(root), read(stack(base, lab)))).toEqual([]);
}

const shells = listShells();
const otherShells = shells.slice(1);
const dash = findDash();

function findDash(): Shell {
  const [first] = shells;
  if (first === undefined) throw new Error("no shell");
  return first;
}

describe("split --above", () => {
  it.each(Object.entries(changes))("%s", (_, [change, layers]) => {
    const base = makeBase();
    const before = readTree(base);
    const root = copyTree(base);
    change(root);
    const lab = createLab(dash);
    splitAbove(lab, root, base);
    expectWhole(lab, base, root);
    expect(namesOf(lab)).toEqual(layers);
    expect(compareTrees(before, readTree(base))).toEqual([]);
  });
});

/** A shell whose awk is this one. */
function useAwk(words: readonly string[]): Shell {
  const directory = makeScratch();
  put(directory, "awk", `#!/bin/sh\nexec ${words.join(" ")} "$@"\n`, 0o755);
  return {
    ...dash,
    name: words.join(" "),
    path: `${directory}:${process.env["PATH"] ?? ""}`,
  };
}

describe.each([...otherShells, ...awks.map(useAwk)])("split --above under $name", (shell) => {
  it.each(groups)("%s, and more", (...names) => {
    // busybox' tar keeps no attributes, and cannot tell whether names with a line break are the same.
    const isBare = shell.name === "busybox";
    const base = makeBase();
    if (isBare) removeOdd(base);
    const root = copyTree(base);
    for (const name of names) changes[name]?.[0](root);
    const lab = createLab(shell);
    splitAbove(lab, root, base);
    expectWhole(lab, base, root, isBare);
    const needless = listNeedless(base, root, lab);
    expect(needless.filter((path) => !path.includes("\n"))).toEqual([]);
  });
});

describe("trees of all kinds", () => {
  const seed = Number(process.env["XBUILD_TEST_SEED"] ?? 17);

  it(`come out as they are, above others and what became of them (XBUILD_TEST_SEED=${seed})`, () => {
    const random = createRandom(seed);
    const [base, root] = [makeScratch(), makeScratch()];
    for (let at = 0; at < 60; at += 1) {
      const [below, above] = [base, root].map((top) => join(top, `t${at}`));
      if (below === undefined || above === undefined) throw new Error("no trees");
      mkdirSync(below);
      fillTree(below, random);
      if (at % 3 > 0) execute("cp", ["-a", below, above]);
      else mkdirSync(above);
      if (at % 3 === 0) fillTree(above, random);
      else changeTree(above, random);
    }
    for (const top of [base, root]) putDpkg(top, []);
    const lab = createLab(dash);
    splitAbove(lab, root, base);
    expectWhole(lab, base, root);
    expect(listNeedless(base, root, lab)).toEqual([]);
  });
});

describe("beside others above a base", () => {
  it("a directory has its mode that leads to the base's packages alone", () => {
    const base = makeScratch();
    put(base, "srv/node_modules/x/package.json", '{"version":"1.0"}');
    put(base, "usr/share/one");
    putDpkg(base, [{ name: "one", list: ["/usr/share", "/usr/share/one"] }]);
    const root = copyTree(base);
    execute("chmod", ["700", join(root, "srv")]);
    execute("chown", ["7:8", join(root, "usr")]);
    const lab = createLab(dash);
    lab.setMaxLayers(127, 1);
    lab.ok(["split", "auto", root, "--above", base]);
    expectWhole(lab, base, root);
    expect(namesOf(lab)).toEqual(["other"]);
  });

  it("what add has put in is not removed again", () => {
    const [base, root, built] = [makeScratch(), makeScratch(), makeScratch()];
    for (const path of ["opt/x/old", "opt/new", "usr/gone", "usr/kept"]) put(base, path, "old");
    put(root, "usr/kept", "old");
    put(built, "opt/new", "new");
    put(built, "usr/gone", "new");
    for (const top of [base, root]) putDpkg(top, []);
    const lab = createLab(dash);
    lab.setMaxLayers(127, 1);
    lab.ok(["add", "app", "-C", built, "opt/new", "usr/gone"]);
    lab.ok(["split", "dpkg", root, "--above", base]);
    const image = stack(base, lab);
    expect(readFileSync(join(image, "opt/new"), "utf8")).toBe("new");
    expect(readFileSync(join(image, "usr/gone"), "utf8")).toBe("new");
    expect(readTree(image).has("opt/x")).toBe(false);
  });
});

describe("layers above a base", () => {
  it("stay as they are while what differs is the same, and change with it", () => {
    const base = makeBase();
    removeOdd(base);
    const root = copyTree(base);
    runIn(root, "echo >usr/bin/tool; rm usr/share/tool/b; rm srv/apart/one; echo >srv/new");
    const lab = createLab(dash);
    splitAbove(lab, root, base);
    expect(namesOf(lab)).toEqual(["tool-1.0", "removed", "other"]);
    lab.next();
    splitAbove(lab, root, base);
    expect(namesOf(lab)).toEqual(["tool-1.0", "removed", "other"]);
    expect(isWritten(lab)).toEqual([]);
    // One more path is gone from the package, and one that was gone has gone from the base, too.
    lab.next();
    runIn(root, "rm usr/share/tool/a");
    runIn(base, "rm srv/apart/one; echo >srv/apart/three");
    splitAbove(lab, root, base);
    expect(isWritten(lab)).toEqual(["tool-1.0", "removed"]);
    expect(lab.paths("removed")).toContain("srv/apart/.wh.three");
    expect(lab.paths("removed")).not.toContain("srv/apart/.wh.one");
    const above = lab.paths("tool-1.0");
    expect(above).toEqual(expect.arrayContaining(["usr/share/tool/.wh.a", "usr/share/tool/.wh.b"]));
    // The base has what the layers had.
    lab.next();
    splitAbove(lab, root, copyTree(root));
    expect(lab.entries()).toEqual([]);
  });

  it("keep their bytes where whiteouts are written again", () => {
    const base = makeBase();
    const root = copyTree(base);
    runIn(root, "rm -r srv/tree srv/odd/*");
    const readRemoved = (): readonly Buffer[] => {
      const lab = createLab(dash);
      splitAbove(lab, root, base);
      return lab.entries().map(({ path = "" }) => readFileSync(join(lab.output, path)));
    };
    expect(readRemoved()).toEqual(readRemoved());
  });

  it("lie above several bases: what one of them has otherwise is written", () => {
    const one = makeBase();
    const two = makeScratch();
    runIn(two, "mkdir -p srv/plain opt/two; echo other >srv/plain/one; echo 2 >opt/two/file");
    runIn(two, "echo gone >opt/two/gone; echo >srv/tree; chmod 711 opt");
    const root = copyTree(one);
    runIn(two, `cp -a --parents opt/two/file ${root}`);
    const lab = createLab(dash);
    splitAbove(lab, root, one, two);
    // As the image has it: the second's paths hide the first's.
    const both = copyTree(one);
    runIn(both, `rm -r srv/tree; cp -a ${two}/. .`);
    expectWhole(lab, both, root);
    const written = lab.entries().flatMap((entry) => lab.paths(entry.created_by));
    expect(written).toEqual(expect.arrayContaining(["srv/plain/one", "srv/tree/deep/other"]));
    expect(written).toContain("opt/two/.wh.gone");
    expect(written).not.toContain("opt/two/file");
    expect(written).not.toContain("usr/bin/keep");
  });

  it("have no more than --max says", () => {
    const base = makeBase();
    const root = copyTree(base);
    runIn(
      root,
      "echo >usr/bin/tool; echo >usr/bin/keep; rm usr/share/tool/b srv/null; echo >srv/new",
    );
    const lab = createLab(dash);
    lab.setMaxLayers(127, 1);
    lab.ok(["split", "dpkg", root, "--max=2", `--above=${base}`]);
    expect(lab.entries()).toHaveLength(2);
    expectWhole(lab, base, root);
  });
});

describe("what split --above refuses", () => {
  const root = makeBase();
  const refuse = (lab: Lab, ...words: readonly string[]) => {
    const result = lab.run(["split", "dpkg", root, ...words]);
    expect(lab.entries()).toEqual([]);
    return result;
  };

  it("an image without a base", () => {
    const { status, stderr } = refuse(createLab(dash), "--above", makeBase());
    expect(status).toBe(1);
    expect(stderr).toMatch(/^layer: --above has no image below, .*OUTPUT --from=IMAGE/);
  });

  it("what shows no base", () => {
    const lab = createLab(dash);
    lab.setMaxLayers(127, 3);
    const empty = makeScratch();
    expect(refuse(lab, "--above", join(empty, "none")).stderr).toMatch(
      /no directory .*mount the base/,
    );
    expect(refuse(lab, "--above", join(root, "usr/bin/keep")).stderr).toMatch(/no directory/);
    expect(refuse(lab, "--above", empty).stderr).toMatch(/nothing is in .*mount the base/);
    expect(refuse(lab, "--above", root).stderr).toMatch(/holds .* itself, mount the base beside/);
    expect(refuse(lab, "--above", "/").stderr).toMatch(/holds .* itself/);
    expect(refuse(lab, "--above")).toMatchObject({ status: 2 });
    expect(refuse(lab, "--above=")).toMatchObject({ status: 2 });
  });

  it("a removed path whose whiteout would have too long a name", () => {
    const base = copyTree(root);
    put(base, `srv/${"x".repeat(252)}`);
    const lab = createLab(dash);
    lab.setMaxLayers(127, 3);
    expect(refuse(lab, "--above", base).stderr).toMatch(/name is too long: leave it there/);
  });
});

/** Splits the container's root, an overlay above the base, which is seen at /base: gives what was read to compare. */
function splitOverlay(base: string, lab: Lab, change: string): string {
  const sums = '#!/bin/sh\necho "$*" >>/layers/output/read\nexec busybox sha256sum "$@"\n';
  put(base, "bin/b2sum", sums, 0o755);
  mkdirSync(join(base, "base"));
  const script = `base=$1 root=$2 lab=$3; cd "$root"; mkdir upper work all
    mount -t overlay -o "lowerdir=$base,upperdir=upper,workdir=work" overlay all; cd all
    mount --bind "$lab" layers; mount --bind "$base" base; mount -t proc proc proc
    ${change}
    exec chroot . /layers/bin/layer split dpkg / --above /base`;
  const words = ["-m", "sh", "-ec", script, "sh", base, makeScratch(), lab.base];
  const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
  const result = spawnSync("unshare", words, { encoding: "utf8", env });
  expect(result).toMatchObject({ status: 0, stderr: "" });
  return readFileSync(join(lab.output, "read"), "utf8");
}

describe("in a container", () => {
  it("what an overlay shows of the base is not read", () => {
    const base = makeContainer();
    removeOdd(base);
    const lab = createInside();
    lab.setMaxLayers(127, 1);
    const change =
      "printf ETC/own >etc/own; chmod 600 usr/share/tool/file; mv data/below data/moved";
    // Of the same size, on both sides.
    expect(splitOverlay(base, lab, change)).toBe("-- ./etc/own\n-- ./etc/own\n");
    const written = lab.entries().map(({ created_by: name }) => [name, lab.paths(name)]);
    expect(written).toEqual([
      ["base-1.0", ["etc", "etc/own"]],
      ["tool-1.0", ["usr", "usr/share", "usr/share/tool", "usr/share/tool/file"]],
      ["removed", ["data", "data/.wh.below"]],
      ["other", ["data", "data/moved"]],
    ]);
  });

  it.each([true, false])("mounts are neither compared nor removed (mounts known: %s)", (mounts) => {
    const root = makeContainer();
    removeOdd(root);
    const base = copyTree(root);
    // Below mounts, and where the base is seen.
    runIn(
      base,
      "mkdir base; echo >base/own; echo >dev/node; echo >etc/hosts; rm etc/hostname; echo >data/more",
    );
    runIn(root, "echo >etc/own; rm usr/share/tool/file; mkdir base; rm etc/resolv.conf");
    const lab = createInside();
    lab.setMaxLayers(127, 1);
    const show = `mount --bind "$base/output" "$root/layers/output"; mount --bind ${base} "$root/base"`;
    const more = mounts
      ? `; mount --bind "$host/volume" "$root/data"; mount --bind "$host/hosts" "$root/etc/hosts"; mount -t proc proc "$root/proc"; mount -t tmpfs none "$root/tmp"`
      : "";
    const command = ["/layers/bin/layer", "split", "dpkg", "/", "--above", "/base"];
    const result = runMounted(root, lab, show + more, command);
    expect(result).toMatchObject({ status: 0, stderr: "" });
    const written = lab.entries().flatMap((entry) => lab.paths(entry.created_by));
    const removed = [
      "usr/share/tool/.wh.file",
      ...(mounts ? ["etc/.wh.resolv.conf"] : ["data/.wh.more"]),
    ];
    const ways = ["etc", "usr", "usr/share", "usr/share/tool", ...(mounts ? [] : ["data"])];
    expect([...new Set(written)].sort()).toEqual([...ways, "etc/own", ...removed].sort());
  });
});
