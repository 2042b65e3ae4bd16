import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { createLab, listShells, makeScratch, put } from "./lab.ts";
import type { Lab } from "./lab.ts";
import { compareTrees, flatten, readTree } from "./oracle.ts";
import type { Tree } from "./oracle.ts";
import { execute, putAttributes } from "./roots.ts";

// A real root, as a base image has it; made once and kept between runs, for it takes a minute.
const archive = join(tmpdir(), "xbuild-test-bookworm-minbase.tar");

function unpackDebian(): string {
  if (!existsSync(archive)) {
    const partial = `${archive}.${process.pid}.tar`;
    execute("mmdebstrap", ["--quiet", "--variant=minbase", "bookworm", partial]);
    renameSync(partial, archive);
  }
  const root = makeScratch();
  execute("tar", ["-C", root, "--numeric-owner", "--xattrs", "-xpf", archive]);
  return root;
}

/** Builds a package of this version and installs it with the root's own dpkg. */
function install(root: string, version: string) {
  const tree = makeScratch();
  put(tree, "usr/share/hello/data", `data of ${version}`);
  put(tree, "etc/hello.conf", "shipped");
  put(tree, "bin/hello-tool", "#!/bin/sh\necho hello\n", 0o755);
  const control = `Package: hello-tool\nVersion: ${version}\nArchitecture: all\nMaintainer: test <test@example.org>\nDescription: test\n`;
  put(tree, "DEBIAN/control", control);
  put(tree, "DEBIAN/conffiles", "/etc/hello.conf\n");
  const alternatives = "update-alternatives --install /usr/bin/hi hi /bin/hello-tool 10";
  const diversions = [
    divert("/usr/bin/sum", "/usr/bin/sum.real"),
    divert("/bin/tac", "/bin/tac.real"),
  ];
  const lines = ["#!/bin/sh", "set -e", alternatives, ...diversions, ""];
  put(tree, "DEBIAN/postinst", lines.join("\n"), 0o755);
  const file = join(root, "hello.deb");
  execute("dpkg-deb", ["--root-owner-group", "--build", tree, file]);
  execute("chroot", [root, "dpkg", "--install", "/hello.deb"]);
  execute("rm", [file]);
}

function divert(from: string, to: string): string {
  return `dpkg-divert --package hello-tool --rename --divert ${to} --add ${from}`;
}

const names = (lab: Lab): readonly string[] => lab.entries().map((entry) => entry.created_by);
const written = (lab: Lab): readonly string[] =>
  lab.entries().flatMap((entry) => (entry.path === undefined ? [] : [entry.created_by]));

/** Paths that a package lists and that are no directories, with usr-merge resolved by the kernel. */
function listOwned(root: string): ReadonlySet<string> {
  const info = join(root, "var/lib/dpkg/info");
  const lists = readdirSync(info).filter((name) => name.endsWith(".list"));
  const owned = lists.flatMap((name) => readFileSync(join(info, name), "utf8").split("\n"));
  const merged = /^\/(bin|sbin|lib|lib64)\//;
  return new Set(owned.map((path) => path.replace(merged, "/usr/$1/").slice(1)));
}

describe("a real Debian root", () => {
  let root = "";
  let tree: Tree = new Map();
  beforeAll(() => {
    root = unpackDebian();
    install(root, "1.0");
    putAttributes(root, "usr/bin/find");
    tree = readTree(root);
  });

  it.each(listShells().map((shell) => [shell.name, shell] as const))(
    "is split and put together again under %s",
    (name, shell) => {
      const lab = createLab(shell);
      lab.ok(["split", "dpkg", root]);
      const bare = name === "busybox";
      const attributes = / (user\.note|security\.capability)=\w+/g;
      const expected = new Map(
        [...tree].map(([path, line]) => [path, bare ? line.replaceAll(attributes, "") : line]),
      );
      expect(compareTrees(expected, readTree(flatten(lab)))).toEqual([]);
      const packages = execute("chroot", [root, "dpkg-query", "-W"]).trim().split("\n");
      expect(lab.entries()).toHaveLength(packages.length + 2);
      expect(names(lab).slice(-2)).toEqual(["dpkg-database", "other"]);
      const owned = listOwned(root);
      const isOwnedFile = (path: string): boolean =>
        owned.has(path) && !(tree.get(path) ?? "").startsWith("4");
      // A diverted file and what update-alternatives made are nobody's or the database's.
      expect(lab.paths("other").filter(isOwnedFile)).toEqual([]);
      expect(lab.paths("dpkg-database").filter(isOwnedFile)).toEqual([]);
      expect(lab.paths("dpkg-database")).toContain("usr/bin/hi");
      expect(lab.paths("coreutils-9.1-1")).toContain("usr/bin/sum.real");
      // By another name of it than the package's.
      expect(lab.paths("coreutils-9.1-1")).toContain("usr/bin/tac.real");
      expect(lab.paths("hello-tool-1.0")).toContain("usr/bin/hello-tool");
      expect(lab.paths("hello-tool-1.0")).toContain("var/lib/dpkg/info/hello-tool.postinst");
    },
  );

  it("changes only what an upgrade changes", () => {
    const [shell] = listShells();
    if (shell === undefined) throw new Error("no shell");
    const lab = createLab(shell);
    lab.ok(["split", "dpkg", root]);
    const before = names(lab);
    lab.next();
    lab.ok(["split", "dpkg", root]);
    expect(written(lab)).toEqual([]);
    lab.next();
    install(root, "2.0");
    lab.ok(["split", "dpkg", root]);
    expect(names(lab)).toEqual(
      before.map((name) => name.replace("hello-tool-1.0", "hello-tool-2.0")),
    );
    expect(written(lab)).toEqual(["hello-tool-2.0", "dpkg-database", "other"]);
    lab.next();
    execute("chroot", [root, "dpkg", "--remove", "hello-tool"]);
    lab.ok(["split", "dpkg", root]);
    expect(written(lab)).toEqual(["dpkg-database", "other"]);
    mkdirSync(join(root, "srv/left"));
    // The conffile of a removed package that was not purged is no package's.
    lab.next();
    execute("touch", [join(root, "etc/hello.conf")]);
    lab.ok(["split", "dpkg", root]);
    expect(written(lab)).toEqual(["other"]);
  });

  it("fits in few layers", () => {
    const [shell] = listShells();
    if (shell === undefined) throw new Error("no shell");
    const lab = createLab(shell);
    lab.ok(["split", "auto", root, "--max", "30"]);
    expect(names(lab)).toHaveLength(30);
    expect(names(lab)).toContainEqual(expect.stringMatching(/^libc-bin-\S+ libc6-\S+$/));
    expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
  });
});
