import { spawnSync } from "node:child_process";
import { cpSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createLab, link, listShells, makeScratch, put, type Lab } from "./lab.ts";
import { compareTrees, flatten, readLayers, readTree } from "./oracle.ts";
import { execute, makeMergedRoot, putDpkg } from "./roots.ts";

const names = (lab: Lab): readonly string[] => lab.entries().map((entry) => entry.created_by);

function expectWhole(lab: Lab, root: string) {
  expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
}

/** A root with a package, an application and what nobody owns. */
function makeRoot(): string {
  const root = makeMergedRoot();
  putDpkg(root, [{ name: "tool", list: ["/usr/bin/tool", "/usr/share/doc/tool/readme"] }]);
  for (const path of ["usr/bin/tool", "usr/share/doc/tool/readme", "srv/data", "srv/app/lib/own"])
    put(root, path);
  for (const path of ["main", "lib/a b", "lib/back\\slash", "lib/é"]) put(root, `opt/app/${path}`);
  link(root, "opt/app/link", "main");
  mkdirSync(join(root, "opt/app/empty"));
  execute("chmod", ["700", join(root, "opt/app/lib")]);
  return root;
}

const taken = ["opt/app/main", "opt/app/link", "opt/app/lib/a b", "opt/app/lib/é"];

describe.each(listShells())("what other calls took, under $name", (shell) => {
  it("is left out, but for its directories", () => {
    const root = makeRoot();
    const lab = createLab(shell);
    lab.ok(["add", "app", "-C", root, "opt/app/main", "opt/app/link", "opt/app/lib"]);
    lab.ok(["split", "dpkg", root]);
    const { other = [], ...others } = readLayers(lab, root);
    expect(other).toContain("srv/data");
    for (const path of [...taken, "opt/app/lib/back\\slash"]) expect(other).not.toContain(path);
    expect(others["tool-1.0"]).toContain("usr/bin/tool");
    expect(lab.paths("other")).toContain("opt/app/lib");
    expectWhole(lab, root);
  });

  it("is left out of a package, too", () => {
    const root = makeRoot();
    const lab = createLab(shell);
    lab.ok(["add", "doc", "-C", root, "usr/share/doc/tool/readme"]);
    lab.ok(["split", "dpkg", root]);
    expect(lab.paths("tool-1.0")).not.toContain("usr/share/doc/tool/readme");
    expect(names(lab).flatMap((name) => lab.paths(name))).toContain("usr/share/doc/tool");
    expectWhole(lab, root);
  });

  it.each(["gzip", "zstd", "cat"])("is read from a stream of %s where tar can", (program) => {
    const root = makeRoot();
    const lab = createLab(shell);
    const tar = spawnSync("sh", ["-c", `tar -cf - opt/app | ${program}`], { cwd: root });
    lab.ok(["add", "app", "-"], { input: tar.stdout });
    lab.ok(["split", "dpkg", root]);
    // busybox reads no zstd: then the paths are in both layers, which does no harm.
    const isRead = shell.name !== "busybox" || program !== "zstd";
    expect(lab.paths("other").includes("opt/app/main")).toBe(!isRead);
    expectWhole(lab, root);
  });

  it("has a file with a name elsewhere in both layers", () => {
    const root = makeRoot();
    linkSync(join(root, "opt/app/main"), join(root, "srv/same"));
    const lab = createLab(shell);
    lab.ok(["add", "app", "-C", root, "opt/app/main"]);
    lab.ok(["split", "dpkg", root]);
    expect(lab.paths("other")).toEqual(expect.arrayContaining(["opt/app/main", "srv/same"]));
    expectWhole(lab, root);
    const both = createLab(shell);
    both.ok(["add", "app", "-C", root, "opt/app/main", "srv/same"]);
    both.ok(["split", "dpkg", root]);
    expect(both.paths("other")).not.toContain("srv/same");
    expectWhole(both, root);
  });

  it("takes nothing from others by a name with a line break", () => {
    const root = makeRoot();
    put(root, "opt/app/x\nsrv/data");
    const lab = createLab(shell);
    lab.ok(["add", "app", "-C", root, "opt"]);
    lab.ok(["split", "dpkg", root]);
    expect(lab.paths("other")).toContain("srv/data");
    expectWhole(lab, root);
  });

  it("is known of a layer that was kept, from the last build", () => {
    const root = makeRoot();
    const lab = createLab(shell);
    lab.ok(["add", 'app "1"\\\t', "-C", root, "opt/app"]);
    lab.ok(["each", "-C", join(root, "srv"), "app/lib"]);
    lab.ok(["split", "dpkg", root]);
    for (let build = 0; build < 2; build += 1) {
      lab.next();
      lab.ok(["keep", 'app "1"\\\t']);
      lab.ok(["each", "-C", join(root, "srv"), "app/lib"]);
      lab.ok(["split", "dpkg", root]);
      expect(lab.entries().filter((entry) => entry.path !== undefined)).toEqual([]);
    }
    // With something new its layer is written again, and still has none of it.
    lab.next();
    put(root, "srv/data", "other");
    lab.ok(["keep", 'app "1"\\\t']);
    lab.ok(["split", "dpkg", root]);
    expect(lab.paths("other")).toContain("srv/data");
    expect(lab.paths("other")).not.toContain("opt/app/main");
  });

  it("is not believed of another layer of that name", () => {
    const root = makeRoot();
    const lab = createLab(shell);
    lab.ok(["add", "app", "-C", root, "opt/app"]);
    lab.ok(["split", "dpkg", root]);
    lab.next();
    lab.setNames([{ name: "app", digest: "sha256:1" }], 1, 1);
    lab.ok(["keep", "app"]);
    lab.setNames([{ name: "app", digest: "sha256:2" }], 1, 1);
    lab.ok(["split", "dpkg", root]);
    expect(lab.paths("other")).toContain("opt/app/main");
  });

  it("is read from the bytes of a layer that was kept, where they are here", () => {
    const root = makeRoot();
    const lab = createLab(shell);
    lab.ok(["add", "app", "-C", root, "opt/app"]);
    const digest = `sha256:${"ab".repeat(32)}`;
    const blob = join(lab.base, "input/blobs/sha256", "ab".repeat(32));
    put(lab.base, "input/blobs/sha256/x");
    cpSync(join(lab.output, lab.entries()[0]?.path ?? ""), blob);
    lab.next();
    lab.setNames([{ name: "app", digest }]);
    lab.ok(["keep", "app"]);
    lab.ok(["split", "dpkg", root]);
    expect(lab.paths("other")).not.toContain("opt/app/main");
    rmSync(blob);
    lab.ok(["split", "dpkg", root]);
    expect(readFileSync(join(lab.output, "state/taken"), "utf8")).toMatch(/^layer\t/);
  });

  it("are not the layers of another split", () => {
    const root = makeRoot();
    const lab = createLab(shell);
    const second = makeMergedRoot();
    putDpkg(second, [{ name: "rival", list: ["/usr/bin/tool"] }]);
    put(second, "usr/bin/tool");
    lab.ok(["split", "dpkg", root]);
    const tar = join(lab.output, lab.entries()[0]?.path ?? "");
    const digest = `sha256:${"cd".repeat(32)}`;
    put(lab.base, "input/blobs/sha256/x");
    cpSync(tar, join(lab.base, "input/blobs/sha256", "cd".repeat(32)));
    lab.next();
    lab.setNames([{ name: "tool-1.0", digest }], 1, 1);
    lab.ok(["split", "dpkg", root]);
    expect(lab.entries()[0]).toEqual({ created_by: "tool-1.0", digest });
    lab.ok(["split", "dpkg", second]);
    expect(lab.paths("rival-1.0")).toContain("usr/bin/tool");
  });
});

/** As the tar of busybox does. */
function forgetAttributes(root: string) {
  for (const name of ["component", "update-interval", "other"])
    spawnSync("sh", [
      "-c",
      'find "$1" ! -type l -exec setfattr -x "$2" {} +',
      "sh",
      root,
      `user.${name}`,
    ]);
}

function attribute(root: string, name: string, value: string, ...paths: readonly string[]) {
  execute("setfattr", ["-n", name, "-v", value, ...paths.map((path) => join(root, path))]);
}

describe.each(listShells())("components under $name", (shell) => {
  // Nobody's busybox has getfattr: it is found beside it.
  const withProgram = { env: { PATH: `${shell.path}:/usr/bin` } };

  it("are a layer each, with what is below a directory", () => {
    const root = makeRoot();
    attribute(root, "user.component", "my apps", "opt/app");
    attribute(root, "user.component", 'li"b\\', "opt/app/lib");
    attribute(root, "user.component", "my apps", "usr/bin/tool");
    attribute(root, "user.component", "", "opt/app/lib/é");
    attribute(root, "user.update-interval", "monthly", "opt/app/main");
    attribute(root, "user.update-interval", "30", "usr/bin/tool");
    attribute(root, "user.other", "x", "srv/data");
    const lab = createLab(shell);
    lab.ok(["split", "dpkg", root], withProgram);
    const layers = readLayers(lab, root);
    expect(layers["my%20apps"]).toEqual(["opt/app/link", "opt/app/main", "usr/bin/tool"]);
    expect(layers['li"b\\']).toEqual(["opt/app/lib/a b", "opt/app/lib/back\\slash"]);
    expect(layers["other"]).toContain("opt/app/lib/é");
    expect(layers["tool-1.0"]).not.toContain("usr/bin/tool");
    const specials = ["dpkg-database", "other"];
    expect(names(lab).toSorted()).toEqual(
      [...specials, 'li"b\\', "my%20apps", "tool-1.0"].toSorted(),
    );
    if (shell.name === "busybox") forgetAttributes(root);
    expectWhole(lab, root);
  });

  it("lie the lower, the more rarely they change", () => {
    const root = makeRoot();
    for (const name of ["a", "b", "c"]) {
      put(root, `opt/${name}/file`, "x".repeat(100_000));
      attribute(root, "user.component", name, `opt/${name}`);
    }
    attribute(root, "user.update-interval", "daily", "opt/a/file");
    attribute(root, "user.update-interval", "yearly", "opt/b");
    const lab = createLab(shell);
    lab.ok(["split", "dpkg", root], withProgram);
    expect(names(lab).filter((name) => name.length === 1)).toEqual(["b", "c", "a"]);
  });

  it("are not read without getfattr", () => {
    const root = makeRoot();
    attribute(root, "user.component", "apps", "opt/app");
    const tools = makeScratch();
    execute("sh", [
      "-c",
      'cp -s /usr/bin/* /bin/* "$1" 2>/dev/null; rm "$1/getfattr"',
      "sh",
      tools,
    ]);
    const lab = createLab(shell);
    const path = shell.name === "busybox" ? shell.path : tools;
    lab.ok(["split", "dpkg", root], { env: { PATH: path } });
    expect(names(lab)).not.toContain("apps");
  });

  it.each([
    [
      ["7", "monthly"],
      /^layer: \/opt\/app\/main: user.update-interval is 30 days, .* apps it is 7/,
    ],
    [["weekly", "now and then"], /^layer: \/opt\/app\/main: .* is now and then, set a number/],
    [["weekly", "0"], /^layer: \/opt\/app\/main: .* is 0, set a number/],
  ])("with intervals %j are refused", ([first = "", second = ""], message) => {
    const root = makeRoot();
    attribute(root, "user.component", "apps", "opt/app");
    attribute(root, "user.update-interval", first, "opt/app");
    attribute(root, "user.update-interval", second, "opt/app/main");
    const lab = createLab(shell);
    const result = lab.run(["split", "dpkg", root], withProgram);
    expect(result).toMatchObject({ status: 1, stdout: "", stderr: expect.stringMatching(message) });
    expect(lab.entries()).toEqual([]);
  });
});

const large = Buffer.alloc(1_000_001, "x");

describe.each(listShells())("large files of nobody under $name", (shell) => {
  it("are layers of their own", () => {
    const root = makeRoot();
    put(root, "opt/big one", large);
    put(root, "opt/two/names", large);
    linkSync(join(root, "opt/two/names"), join(root, "srv/again"));
    put(root, "opt/line\nbreak", large);
    put(root, "opt/small", large.subarray(1));
    for (const path of ["var/cache/x", "var/log/x", "tmp/x"]) put(root, path, large);
    const lab = createLab(shell);
    lab.ok(["split", "dpkg", root]);
    const layers = readLayers(lab, root);
    expect(names(lab).toSorted()).toEqual([
      "/opt/big%20one",
      "/opt/two/names",
      "dpkg-database",
      "other",
      "tool-1.0",
    ]);
    expect(layers["/opt/two/names"]).toEqual(["opt/two/names", "srv/again"]);
    expect(layers["other"]).toEqual(
      expect.arrayContaining(["opt/small", "var/cache/x", "var/log/x", "tmp/x"]),
    );
    expectWhole(lab, root);
  });

  it("stay with the package that has one of their names", () => {
    const root = makeRoot();
    writeFileSync(join(root, "usr/bin/tool"), large);
    linkSync(join(root, "usr/bin/tool"), join(root, "opt/tool"));
    const lab = createLab(shell);
    lab.ok(["split", "dpkg", root]);
    expect(readLayers(lab, root)["tool-1.0"]).toContain("opt/tool");
    expect(names(lab)).toEqual(["tool-1.0", "dpkg-database", "other"]);
  });

  it("may share one where there is little room", () => {
    const root = makeRoot();
    for (const name of ["a", "b", "c"]) put(root, `opt/${name}`, large);
    const lab = createLab(shell);
    lab.ok(["split", "dpkg", root, "--max", "4"]);
    expect(names(lab)).toHaveLength(4);
    expect(names(lab).flatMap((name) => name.split(" "))).toEqual(
      expect.arrayContaining(["/opt/a", "/opt/b", "/opt/c", "other"]),
    );
    expectWhole(lab, root);
  });

  it("are taken together by directory where they are many", () => {
    const root = makeRoot();
    mkdirSync(join(root, "opt/m/sub"), { recursive: true });
    mkdirSync(join(root, "opt/n"));
    const script =
      'for i in $(seq 260); do truncate -s 1000001 "m/sub/$i" "n/$i"; done; : >m/small';
    execute("sh", ["-c", `cd "$1" && ${script}`, "sh", join(root, "opt")]);
    truncate(join(root, "srv/one"));
    const lab = createLab(shell);
    lab.ok(["split", "dpkg", root]);
    expect(names(lab).toSorted()).toEqual([
      "/opt/m/sub/",
      "/opt/n/",
      "/srv/one",
      "dpkg-database",
      "other",
      "tool-1.0",
    ]);
    expect(lab.paths("other")).toContain("opt/m/small");
  });
});

function truncate(file: string) {
  execute("truncate", ["-s", "1000001", file]);
}
