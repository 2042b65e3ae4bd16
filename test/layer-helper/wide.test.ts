import { spawnSync } from "node:child_process";
import { chownSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createInside, makeContainer, runMounted } from "./container.ts";
import { createLab, link, listShells, makeScratch, put, toyboxShell } from "./lab.ts";
import type { Shell } from "./lab.ts";
import { compareTrees, flatten, readTree } from "./oracle.ts";
import { execute, putDpkg } from "./roots.ts";

// What seven octal digits cannot say: OpenShift's owners, and times before 1970.

const openShift = 1_000_660_000;
const long = `${"d".repeat(90)}/${"f".repeat(90)}`;

function makeWideRoot(): string {
  const root = makeScratch();
  put(root, "plain/a", "a");
  put(root, "usr/bin/tool", "tool", 0o4755);
  chownSync(join(root, "usr/bin/tool"), openShift, 2_097_152);
  linkSync(join(root, "usr/bin/tool"), join(root, "usr/bin/again"));
  linkSync(join(root, "usr/bin/tool"), join(root, "plain/third"));
  for (const path of ["usr/ both ", "usr/-dash", "usr/b\\n*", "usr/é包", long, "usr/empty"]) {
    put(root, path, path === "usr/empty" ? "" : path);
    chownSync(join(root, path), 2_097_151, openShift);
  }
  const bytes = Buffer.concat([Buffer.from(`${root}/usr/`), Buffer.from([0xff, 0xe9])]);
  writeFileSync(bytes, "bytes");
  chownSync(bytes, openShift, 1);
  put(root, "usr/largest", "x".repeat(1025));
  chownSync(join(root, "usr/largest"), 4_294_967_294, 4_294_967_294);
  put(root, "usr/limit");
  chownSync(join(root, "usr/limit"), 2_097_151, 2_097_151);
  link(root, "usr/link", "y".repeat(150));
  execute("chown", ["-h", `${openShift}:0`, join(root, "usr/link")]);
  mkdirSync(join(root, "srv/open/in"), { recursive: true });
  chownSync(join(root, "srv/open"), openShift, 0);
  execute("mkfifo", [join(root, "srv/fifo")]);
  chownSync(join(root, "srv/fifo"), openShift, 7);
  putOld(root);
  return root;
}

/** Times before 1970, and long after. */
function putOld(root: string) {
  symlinkSync("x", join(root, "link"));
  for (const [path, time] of [
    ["old/second", "-1"],
    ["old/sixties", "-300000000"],
    ["old/half", "-5.5"],
    ["old/epoch", "0"],
    ["old/far", "8589934593"],
    ["link", "-1000"],
  ] as const) {
    if (path !== "link") put(root, path);
    // Node takes a negative time for now.
    execute("touch", ["-h", "-d", `@${time}`, join(root, path)]);
  }
  chownSync(join(root, "old/second"), openShift, openShift);
}

/** A shell that finds this tar, and all else as it is. */
function withTar(shell: Shell, tar: string): Shell {
  const bin = makeScratch();
  symlinkSync(execute("sh", ["-c", `command -v ${tar}`]).trim(), join(bin, "tar"));
  return { ...shell, path: `${bin}:${shell.path}` };
}

const [first, ...others] = listShells();
if (first === undefined) throw new Error("no shell");
const shells: readonly Shell[] = [
  first,
  ...others,
  { ...withTar(first, "busybox"), name: "dash with busybox tar" },
];

describe.each(shells)("wide owners and old times, under $name", (shell) => {
  it("are right in what add writes", () => {
    const root = makeWideRoot();
    const lab = createLab(shell);
    lab.ok(["add", "all", "-C", root, "."]);
    expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
  });

  it("are right in what split writes, and kept when nothing has changed", () => {
    const root = makeWideRoot();
    putDpkg(root, [
      { name: "tool", list: ["/usr/bin/tool", "/old/half"] },
      { name: "more", list: ["/usr", "/usr/largest", "/usr/link", "/srv/open", "/old/second"] },
    ]);
    const lab = createLab(shell);
    lab.ok(["split", "auto", root]);
    expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
    lab.next();
    lab.ok(["split", "auto", root]);
    expect(lab.entries().every((entry) => entry.path === undefined)).toBe(true);
    chownSync(join(root, "usr/largest"), 10_804_256, 0);
    lab.next();
    lab.ok(["split", "auto", root]);
    const written = lab.entries().filter((entry) => entry.path !== undefined);
    expect(written.map((entry) => entry.created_by)).toEqual(["more-1.0"]);
  });
});

describe("a mount point with such an owner", () => {
  it.each(["split auto /", "add all -C / ."])("is right in what %s writes", (words) => {
    const root = makeContainer();
    execute("rm", ["-r", join(root, "srv")]);
    const lab = createInside();
    const script = `
      mount -t proc proc "$root/proc"; mount -t tmpfs tmpfs "$root/dev"; mknod "$root/dev/null" c 1 3
      mount --bind "$base/output" "$root/layers/output"
      mount -t tmpfs -o uid=${String(openShift)},gid=${String(openShift)},mode=2770 tmpfs "$root/data"`;
    const command = ["/layers/bin/layer", ...words.split(" ")];
    const result = runMounted(root, lab, script, command);
    expect(result).toMatchObject({ status: 0, stdout: "", stderr: "" });
    const image = readTree(flatten(lab));
    expect(image.get("data")).toBe(`42770 ${String(openShift)}:${String(openShift)}`);
  });
});

describe("a name with a line break", () => {
  it.each(shells)(
    "is refused with such an owner under $name, where there is no record",
    (shell) => {
      const root = makeScratch();
      put(root, "plain");
      put(root, "line\nbreak", "x");
      chownSync(join(root, "line\nbreak"), openShift, 0);
      const tar = spawnSync("sh", ["-c", "tar --version"], { env: { PATH: shell.path } });
      const hasRecords = String(tar.stdout).includes("GNU tar");
      for (const words of [
        ["split", "auto", root],
        ["add", "all", "-C", root, "."],
      ]) {
        const lab = createLab(shell);
        const result = lab.run(words);
        expect(result.status).toBe(hasRecords ? 0 : 1);
        expect(result.stderr).toMatch(
          hasRecords ? /^$/ : /^layer: .*(?:install GNU tar|line break.*)\n$/,
        );
        expect(lab.entries()).toHaveLength(hasRecords ? 1 : 0);
      }
    },
  );
});

const toybox = toyboxShell();

describe.skipIf(toybox === undefined)("toybox", () => {
  it("writes times before 1970 as they are", () => {
    if (toybox === undefined) throw new Error("no toybox");
    const root = makeWideRoot();
    const lab = createLab(toybox);
    lab.ok(["add", "all", "-C", root, "."]);
    expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
  });
});

describe("BSD tar", () => {
  const shell = withTar(first, "bsdtar");

  it("writes owners and whole seconds as they are", () => {
    const root = makeWideRoot();
    // It tells of each name that it does not know how to write in UTF-8.
    execute("sh", ["-c", 'cd "$1" && rm old/half usr/*[![:print:]]*', "sh", root]);
    for (const words of [
      ["split", "auto", root],
      ["add", "all", "-C", root, "."],
    ]) {
      const lab = createLab(shell);
      lab.ok(words);
      expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
    }
  });

  it("is refused where it would be a second off", () => {
    const root = makeWideRoot();
    for (const words of [
      ["split", "auto", root],
      ["add", "all", "-C", root, "."],
    ]) {
      const lab = createLab(shell);
      expect(lab.run(words)).toEqual({
        status: 1,
        stdout: "",
        stderr:
          "layer: the tar at hand cannot write an owner above 2097151 or a time before 1970, install GNU tar\n",
      });
      expect(lab.entries()).toEqual([]);
    }
  });
});
