import { appendFileSync, chmodSync, linkSync, mkdirSync, rmSync, utimesSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createLab, link, listShells, makeScratch, put } from "./lab.ts";
import type { Lab } from "./lab.ts";
import { compareTrees, flatten, readTree } from "./oracle.ts";
import { makeMergedRoot, putAttributes, putDpkg, putOddities } from "./roots.ts";

/** A small root with everything that makes ownership hard. */
function makeRoot(): string {
  const root = makeMergedRoot();
  put(root, "usr/bin/dash", "dash", 0o755);
  link(root, "usr/bin/sh", "dash");
  put(root, "usr/bin/sh.distrib", "the one of bash", 0o755);
  put(root, "usr/lib/libx.so.1", "amd64");
  put(root, "usr/lib/libx32.so.1", "i386");
  put(root, "usr/share/doc/libx/copyright");
  put(root, "etc/bash.conf", "shipped");
  put(root, "etc/gone.conf", "left behind");
  put(root, "usr/bin/nano", "nano", 0o755);
  put(root, "usr/share/tool/overwritten", "by the second");
  put(root, "run/state");
  link(root, "etc/alternatives/editor", "/bin/nano");
  link(root, "usr/bin/editor", "/etc/alternatives/editor");
  put(root, "var/lib/dpkg/alternatives/editor", "auto\n/bin/editor\n\n/bin/nano\n40\n\n");
  put(root, "var/lib/dpkg/diversions", "/bin/sh\n/bin/sh.distrib\ndash\n");
  put(root, "usr/bin/first", "the same file");
  linkSync(join(root, "usr/bin/first"), join(root, "usr/bin/second"));
  linkSync(join(root, "usr/bin/first"), join(root, "usr/bin/unowned"));
  put(root, "srv/app/main", "unowned");
  putOddities(root, "srv/odd");
  putAttributes(root, "usr/bin/nano");
  putDpkg(root, [
    { name: "dpkg", list: ["/var", "/var/lib", "/var/lib/dpkg", "/var/lib/dpkg/info"] },
    { name: "dash", list: ["/bin", "/bin/dash", "/bin/sh"], essential: true },
    { name: "bash", list: ["/bin", "/bin/sh", "/etc/bash.conf"], version: "1:5.2-2+b7" },
    {
      name: "libx",
      info: "libx:amd64",
      list: ["/lib", "/lib/libx.so.1", "/usr/share/doc/libx", "/usr/share/doc/libx/copyright"],
    },
    {
      name: "libx",
      info: "libx:i386",
      architecture: "i386",
      list: ["/usr/lib/libx32.so.1", "/usr/share/doc/libx", "/usr/share/doc/libx/copyright"],
    },
    { name: "gone", state: "config-files", list: ["/etc/gone.conf"] },
    { name: "nano", list: ["/bin/nano", "/usr/share/tool/overwritten"], architecture: "all" },
    { name: "one", list: ["/usr/bin/first", "/usr/share/empty", "/no/longer/there"] },
    { name: "two", list: ["/usr/bin/second", "/usr/share/tool/overwritten", "/var/run/state"] },
    { name: "meta", list: [] },
  ]);
  mkdirSync(join(root, "usr/share/empty"), { mode: 0o750 });
  return root;
}

/** The paths of a layer that are no directories of the root. */
function files(lab: Lab, root: string, name: string): readonly string[] {
  const tree = readTree(root);
  return lab.paths(name).filter((path) => !(tree.get(path) ?? "").startsWith("4"));
}

const info = (name: string): readonly string[] => [
  `var/lib/dpkg/info/${name}.list`,
  `var/lib/dpkg/info/${name}.md5sums`,
];

describe.each(listShells())("split dpkg under $name", (shell) => {
  it("gives each package what is its own", () => {
    const root = makeRoot();
    const lab = createLab(shell);
    lab.ok(["split", "dpkg", root]);
    const names = lab.entries().map((entry) => entry.created_by);
    expect(names.slice(0, -2).toSorted()).toEqual([
      "bash-1:5.2-2+b7",
      "dash-1.0",
      "dpkg-1.0",
      "libx-1.0",
      "libx:i386-1.0",
      "meta-1.0",
      "nano-1.0",
      "one-1.0",
      "two-1.0",
    ]);
    expect(names.slice(-2)).toEqual(["dpkg-database", "other"]);
    const of = (name: string): readonly string[] => files(lab, root, name);
    expect(of("dash-1.0")).toEqual(["bin", "usr/bin/dash", "usr/bin/sh", ...info("dash")]);
    const bash = ["bin", "etc/bash.conf", "usr/bin/sh.distrib", ...info("bash")];
    expect(of("bash-1:5.2-2+b7")).toEqual(bash);
    const copyright = "usr/share/doc/libx/copyright";
    expect(of("libx-1.0")).toEqual(["lib", "usr/lib/libx.so.1", copyright, ...info("libx:amd64")]);
    expect(of("libx:i386-1.0")).toEqual(["usr/lib/libx32.so.1", copyright, ...info("libx:i386")]);
    expect(of("meta-1.0")).toEqual(info("meta"));
    const overwritten = "usr/share/tool/overwritten";
    expect(of("nano-1.0")).toEqual(["usr/bin/nano", overwritten, ...info("nano")]);
    const linked = ["usr/bin/first", "usr/bin/second", "usr/bin/unowned"];
    expect(of("one-1.0")).toEqual([...linked, ...info("one")]);
    expect(of("two-1.0")).toEqual(["run/state", overwritten, ...info("two")]);
    expect(of("dpkg-database")).toEqual([
      "etc/alternatives/editor",
      "usr/bin/editor",
      "var/lib/dpkg/alternatives/editor",
      "var/lib/dpkg/diversions",
      ...["format", "gone.list", "gone.md5sums"].map((name) => `var/lib/dpkg/info/${name}`),
      "var/lib/dpkg/status",
    ]);
    expect(of("other")).toContain("etc/gone.conf");
    expect(of("other")).toContain("var/run");
    expect(lab.paths("other")).not.toContain("usr/bin");
    expect(lab.paths("one-1.0")).toContain("usr/share/empty");
  });

  it("loses nothing", () => {
    const root = makeRoot();
    const lab = createLab(shell);
    lab.ok(["split", "dpkg", root]);
    const kept = shell.name === "busybox" ? / user\.note=\w+| security\.capability=\w+/g : /^$/;
    const expected = new Map(
      [...readTree(root)].map(([path, line]) => [path, line.replaceAll(new RegExp(kept, "g"), "")]),
    );
    expect(compareTrees(expected, readTree(flatten(lab)))).toEqual([]);
  });

  it("keeps what has not changed, and finds what has", () => {
    const root = makeRoot();
    const lab = createLab(shell);
    lab.ok(["split", "dpkg", root]);
    const digests = lab.next();
    lab.ok(["split", "dpkg", root]);
    // No signature tells of names with a line break.
    const kept = [...digests].map(([name, digest]) => ({ created_by: name, digest }));
    expect(lab.entries().slice(0, -1)).toEqual(kept.slice(0, -1));
    expect(lab.entries().at(-1)?.path).toBeDefined();
    lab.next();
    appendFileSync(join(root, "etc/bash.conf"), "edited");
    chmodSync(join(root, "usr/bin/dash"), 0o4755);
    rmSync(join(root, "usr/lib/libx.so.1"));
    lab.ok(["split", "dpkg", root]);
    const changed = lab.entries().filter((entry) => entry.path !== undefined);
    expect(changed.map((entry) => entry.created_by).toSorted()).toEqual([
      "bash-1:5.2-2+b7",
      "dash-1.0",
      "libx-1.0",
      "other",
    ]);
    expect(lab.paths("bash-1:5.2-2+b7")).toContain("etc/bash.conf");
    lab.next();
    lab.ok(["split", "dpkg", root]);
    expect(lab.entries().filter((entry) => entry.path !== undefined)).toHaveLength(1);
  });

  it("finds a change that left size and time as they were", () => {
    const root = makeRoot();
    const lab = createLab(shell);
    const file = join(root, "etc/bash.conf");
    utimesSync(file, 1_000_000_000, 1_000_000_000);
    lab.ok(["split", "dpkg", root]);
    lab.next();
    put(root, "etc/bash.conf", "deppihs");
    utimesSync(file, 1_000_000_000, 1_000_000_000);
    lab.ok(["split", "dpkg", root]);
    const changed = lab.entries().filter((entry) => entry.path !== undefined);
    expect(changed.map((entry) => entry.created_by)).toEqual(["bash-1:5.2-2+b7", "other"]);
  });
});

describe("split dpkg", () => {
  const [shell] = listShells();
  const create = (): Lab => {
    if (shell === undefined) throw new Error("no shell");
    return createLab(shell);
  };

  it("reads the files again where the previous image is not the last build's", () => {
    const root = makeRoot();
    const lab = create();
    lab.ok(["split", "dpkg", root]);
    const digests = [...lab.next()].map(([name, digest]) => ({ name, digest }));
    const isNew = (): readonly string[] => {
      rmSync(lab.output, { recursive: true });
      mkdirSync(lab.output);
      lab.ok(["split", "dpkg", root]);
      return lab.entries().flatMap((entry) => (entry.path === undefined ? [] : [entry.created_by]));
    };
    const all = digests.map(({ name }) => name);
    // Of another image, of none.
    lab.setNames(digests);
    expect(isNew()).toEqual(all);
    lab.setNames([]);
    expect(isNew()).toEqual(all);
    // Other images before and behind, with layers of the same names.
    const others = digests.map(({ name }) => ({ name, digest: `sha256:other ${name}` }));
    lab.setNames([...others, ...digests, ...others], others.length + 1, digests.length);
    expect(isNew()).toEqual(["other"]);
    const kept = lab.entries().flatMap(({ digest }) => digest ?? []);
    expect(kept).toEqual(digests.slice(0, -1).map(({ digest }) => digest));
    // Which of two is meant nobody knows.
    const [first = { name: "", digest: "" }] = digests;
    lab.setNames([...digests, { ...first, digest: "sha256:x" }], 1, digests.length + 1);
    expect(isNew()).toEqual([first.name, "other"]);
  });

  it("believes a kept layer's signature of its digest alone", () => {
    const root = makeRoot();
    const lab = create();
    lab.ok(["split", "dpkg", root]);
    lab.next();
    lab.ok(["split", "dpkg", root]);
    const digests = [...lab.next()].map(([name, digest]) => ({ name, digest }));
    const changed = digests.map(({ name, digest }) => ({
      name,
      digest: name === "dash-1.0" ? "sha256:x" : digest,
    }));
    lab.setNames(changed, 1, changed.length);
    lab.ok(["split", "dpkg", root]);
    const written = lab.entries().filter((entry) => entry.path !== undefined);
    expect(written.map((entry) => entry.created_by)).toEqual(["dash-1.0", "other"]);
  });

  it("does not move or change a layer for another's upgrade, arrival or removal", () => {
    const root = makeMergedRoot();
    const list = ["a", "b", "c"].map((name) => ({
      name,
      list: ["/usr", "/usr/share", `/usr/share/${name}`],
    }));
    for (const one of list) put(root, `usr/share/${one.name}`);
    putDpkg(root, list);
    const lab = create();
    lab.ok(["split", "dpkg", root]);
    lab.next();
    put(root, "usr/share/b", "new");
    put(root, "usr/share/ab");
    rmSync(join(root, "usr/share/a"));
    const [, b = { name: "b", list: [] }, c = { name: "c", list: [] }] = list;
    const ab = { name: "ab", list: ["/usr/share/ab"] };
    rmSync(join(root, "var/lib/dpkg/info/a.list"));
    putDpkg(root, [ab, { ...b, version: "2.0" }, c]);
    lab.ok(["split", "dpkg", root]);
    const names = lab.entries().map((entry) => entry.created_by);
    expect(names.toSorted()).toEqual(["ab-1.0", "b-2.0", "c-1.0", "dpkg-database", "other"]);
    expect(lab.paths("c-1.0")).toEqual([
      "usr",
      "usr/share",
      "usr/share/c",
      "var",
      "var/lib",
      "var/lib/dpkg",
      "var/lib/dpkg/info",
      ...info("c"),
    ]);
  });

  it("leaves out sockets and refuses names that mean a removal", async () => {
    const root = makeRoot();
    const server = createServer();
    await new Promise<void>((done) => {
      server.listen(join(root, "run/socket"), done);
    });
    const lab = create();
    lab.ok(["split", "dpkg", root]);
    await new Promise((done) => {
      server.close(done);
    });
    expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
    put(root, "srv/.wh.gone");
    const result = create().run(["split", "dpkg", root]);
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toMatch(/^layer: .*srv\/\.wh\.gone.*, remove it/);
  });

  it("says what is missing", () => {
    const lab = create();
    const root = makeScratch();
    expect(lab.run(["split", "dpkg", root]).stderr).toMatch(/found no dpkg packages/);
    expect(lab.run(["split", "dpkg", join(root, "none")]).stderr).toMatch(/no directory/);
    put(root, "var/lib/dpkg/status", "");
    chmodSync(lab.output, 0o777);
    const result = lab.run(["split", "dpkg", root], { uid: 65_534 });
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toMatch(/USER root/);
    lab.ok(["add", "x", "-C", root, "."], { uid: 65_534 });
  });
});
