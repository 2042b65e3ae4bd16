import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { createLab, link, listShells, makeScratch, put } from "./lab.ts";
import type { Lab } from "./lab.ts";
import { execute, putDpkg, putOddities } from "./roots.ts";

/** A container's root of its own: busybox, a package, and what an engine mounts over. */
export function makeContainer(): string {
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

/** What an engine mounts, and a user; $host is a directory of the machine. */
const usualMounts = `
  mount --bind "$base/output" "$root/layers/output"
  mount -t proc proc "$root/proc"; mount -t tmpfs tmpfs "$root/dev"; mknod "$root/dev/null" c 1 3
  mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"; echo x >"$root/tmp/file"
  mount --bind "$host/volume" "$root/data"
  mount --bind "$host/hosts" "$root/etc/hosts"
  mkdir "$root/run/a b "; mount --bind "$host/volume" "$root/run/a b "`;

/** Runs a command in the container as an engine would: with its mounts, or without any. */
export function runInside(root: string, lab: Lab, mounts: boolean, command: readonly string[]) {
  return runMounted(root, lab, mounts ? usualMounts : "", command);
}

/** Runs a command in the container after a script that mounts what it likes below $root. */
export function runMounted(root: string, lab: Lab, mounts: string, command: readonly string[]) {
  const host = makeScratch();
  put(host, "hosts", "the engine's");
  put(host, "volume/file", "of the volume");
  put(host, "volume/sub/file", "of the volume");
  const script = `set -e; root=$1 base=$2 host=$3; shift 3
    mount --bind "$base" "$root/layers"${mounts === "" ? "" : '; mount -o remount,bind,ro "$root/layers"'}
    ${mounts}
    exec chroot "$root" "$@"`;
  const args = ["-m", "sh", "-c", script, "sh", root, lab.base, host, ...command];
  const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
  return spawnSync("unshare", args, { encoding: "utf8", env });
}

/** A helper's directory for what runs inside. */
export function createInside(): Lab {
  const [shell] = listShells();
  if (shell === undefined) throw new Error("no shell");
  return createLab(shell);
}
