import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createLab, link, listShells, makeScratch, put } from "./lab.ts";
import type { Lab } from "./lab.ts";
import { compareTrees, flatten, readTree } from "./oracle.ts";
import { execute, putDpkg, putOddities } from "./roots.ts";

/** A container's root of its own: busybox, a package, and what an engine mounts over. */
function makeContainer(): string {
  const root = makeScratch();
  const busybox = execute("sh", ["-c", "command -v busybox"]).trim();
  put(root, "bin/busybox", readFileSync(busybox), 0o755);
  for (const applet of execute("busybox", ["--list"]).split("\n")) {
    if (applet !== "" && applet !== "busybox") symlinkSync("busybox", join(root, "bin", applet));
  }
  for (const directory of ["proc", "sys", "dev", "tmp", "data", "layers/output", "run"]) {
    mkdirSync(join(root, directory), { recursive: true });
  }
  for (const path of ["etc/hosts", "etc/resolv.conf", "etc/hostname", "etc/own"]) put(root, path);
  put(root, "usr/share/tool/file", "tool");
  link(root, "usr/share/loop", "..");
  put(root, "data/below", "hidden by a mount");
  put(root, "layersbeside/file", "kept");
  putOddities(root, "srv");
  putDpkg(root, [
    {
      name: "base",
      list: ["/bin", "/bin/busybox", "/proc", "/dev", "/data", "/etc/hosts", "/etc/own"],
    },
    { name: "tool", list: ["/usr/share/tool/file"] },
  ]);
  return root;
}

/** Runs a command in the container as an engine would: with its mounts, or without any. */
function runInside(root: string, lab: Lab, mounts: boolean, command: readonly string[]) {
  const host = makeScratch();
  put(host, "hosts", "the engine's");
  put(host, "volume/file", "of the volume");
  put(host, "volume/sub/file", "of the volume");
  const script = mounts
    ? `set -e; root=$1 base=$2 host=$3; shift 3
       mount --bind "$base" "$root/layers"; mount -o remount,bind,ro "$root/layers"
       mount --bind "$base/output" "$root/layers/output"
       mount -t proc proc "$root/proc"; mount -t tmpfs tmpfs "$root/dev"; mknod "$root/dev/null" c 1 3
       mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"; echo x >"$root/tmp/file"
       mount --bind "$host/volume" "$root/data"
       mount --bind "$host/hosts" "$root/etc/hosts"
       mkdir "$root/run/a b "; mount --bind "$host/volume" "$root/run/a b "
       exec chroot "$root" "$@"`
    : `set -e; root=$1 base=$2; shift 3
       mount --bind "$base" "$root/layers"
       exec chroot "$root" "$@"`;
  const args = ["-m", "sh", "-c", script, "sh", root, lab.base, host, ...command];
  const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
  return spawnSync("unshare", args, { encoding: "utf8", env });
}

function createInside(): Lab {
  const [shell] = listShells();
  if (shell === undefined) throw new Error("no shell");
  return createLab(shell);
}

const commands: readonly (readonly [string, readonly string[]])[] = [
  ["split dpkg", ["split", "dpkg", "/"]],
  ["split auto", ["split", "auto", "/"]],
];

describe("the container's own root", () => {
  it.each(commands)("%s leaves out what is mounted", (_what, args) => {
    const root = makeContainer();
    const lab = createInside();
    const result = runInside(root, lab, true, ["/layers/bin/layer", ...args]);
    expect(result).toMatchObject({ status: 0, stdout: "", stderr: "" });
    const image = readTree(flatten(lab));
    const unseen = ["layers", "etc/hosts", "data/below"];
    const expected = new Map(readTree(root, unseen));
    const differences = compareTrees(expected, image);
    // A mount point is as the mount shows it.
    expect(differences).toEqual([expect.stringMatching(/^tmp: 40755 0:0 is 41777 0:0/)]);
    for (const point of ["proc", "dev", "data", "run/a b "])
      expect(image.get(point)).toBe("40755 0:0");
    for (const entry of lab.entries().slice(0, -1))
      expect(lab.paths(entry.created_by)).not.toContain("data");
  });

  it.each(commands)("%s needs no /proc", (_what, args) => {
    const root = makeContainer();
    put(root, "dev/null", "no device");
    const lab = createInside();
    const result = runInside(root, lab, false, ["/layers/bin/layer", ...args]);
    expect(result).toMatchObject({ status: 0, stdout: "", stderr: "" });
    const unseen = ["layers", "etc/hosts", "etc/hostname", "etc/resolv.conf", "dev/null"];
    expect(compareTrees(readTree(root, unseen), readTree(flatten(lab)))).toEqual([]);
  });

  it("is added as a whole by add", () => {
    const root = makeContainer();
    const odd = ["srv/line\nbreak"];
    const lab = createInside();
    const refused = runInside(root, lab, true, ["/layers/bin/layer", "add", "all", "/"]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/line break/);
    execute("sh", ["-c", 'rm -r "$1"', "sh", join(root, odd[0] ?? "")]);
    execute("rmdir", [join(root, "run/a b ")]);
    const result = runInside(root, lab, true, ["/layers/bin/layer", "add", "all", "/"]);
    expect(result).toMatchObject({ status: 0, stdout: "", stderr: "" });
    const image = readTree(flatten(lab));
    const expected = readTree(root, ["layers", "etc/hosts", "data/below", "tmp"]);
    expect(compareTrees(expected, new Map([...image].filter(([path]) => path !== "tmp")))).toEqual(
      [],
    );
    expect(image.get("tmp")).toBe("41777 0:0");
  });

  it("may be another than the container's, which is split in full", () => {
    const root = makeContainer();
    const other = makeContainer();
    put(other, "proc/file");
    execute("cp", ["-a", `${other}/.`, join(root, "data")]);
    writeFileSync(join(root, "data/etc/hosts"), "of the image");
    const lab = createInside();
    const result = runInside(root, lab, false, ["/layers/bin/layer", "split", "dpkg", "/data"]);
    expect(result).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(compareTrees(readTree(join(root, "data")), readTree(flatten(lab)))).toEqual([]);
  });
});
